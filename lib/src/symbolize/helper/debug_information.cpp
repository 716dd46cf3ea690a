#include "symbolize/helper/debug_information.hpp"

#include <dwarf.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "symbolize/helper/debug_file.hpp"
#include "symbolize/helper/debug_unit.hpp"
#include "symbolize/helper/die_tree.hpp"
#include "symbolize/helper/module_file.hpp"
#include "symbolize/helper/packed_sections.hpp"
#include "symbolize/helper/unit_files.hpp"
#include "symbolize/names.hpp"

namespace gmr::symbolize {
namespace {

// libdw keeps some 900 bytes of each unit that it has come by.
constexpr std::size_t units_between = 512;

// Of no use here. Where sections are compressed, libdw unpacks all that there are; those that have
// no bytes are none to it.
constexpr std::array<std::string_view, 10> unused_sections{
    ".debug_loc",      ".debug_loclists", ".debug_frame", ".debug_macro",    ".debug_macinfo",
    ".debug_pubnames", ".debug_pubtypes", ".debug_names", ".debug_cu_index", ".debug_tu_index"};

void leave_out_unused(Elf* elf) {
  std::size_t names = 0;
  if (::elf_getshdrstrndx(elf, &names) != 0) return;
  Elf_Scn* section = nullptr;
  while ((section = ::elf_nextscn(elf, section)) != nullptr) {
    GElf_Shdr header;
    if (::gelf_getshdr(section, &header) == nullptr || (header.sh_flags & SHF_COMPRESSED) == 0)
      continue;
    const char* const name = ::elf_strptr(elf, names, header.sh_name);
    if (name == nullptr ||
        std::find(unused_sections.begin(), unused_sections.end(), name) == unused_sections.end())
      continue;
    header.sh_type = SHT_NOBITS;
    ::gelf_update_shdr(section, &header);
  }
}

}  // namespace

debug_information::debug_information(const open_order& order, const std::string& debug_dirs)
    : module_(order.module), level_(order.level) {
  found_file found = find_module_file(module_);
  main_ = std::move(found.image);
  state_.file = found.state;
  state_.error = found.error;
  if (level_ != name_level::none) open_debug_information(debug_dirs);
}

debug_information::~debug_information() {
  if (dwarf_ != nullptr) ::dwarf_end(dwarf_);
}

void debug_information::open_debug_information(const std::string& debug_dirs) {
  if (main_.get() == nullptr) {
    separate_ = find_debug_file_by_id(module_.build_id, debug_dirs);
    source_ = separate_.get();
  } else if (has_debug_information(main_.get())) {
    source_ = main_.get();
  } else {
    separate_ = find_separate_debug_file(main_.get(), module_.path, debug_dirs);
    source_ = separate_.get();
  }
  state_.has_debug_information = source_ != nullptr && has_debug_information(source_);
  if (!state_.has_debug_information || level_ > name_level::lines) return;
  leave_out_unused(source_);
  unpacked_ = unpack_zstd(source_, state_.problem);
  if (unpacked_.get() != nullptr) source_ = unpacked_.get();
  dwarf_ = ::dwarf_begin_elf(source_, DWARF_C_READ, nullptr);
}

// Unpacked sections stay unpacked: they belong to the ELF object.
void debug_information::begin_again() {
  if (dwarf_ == nullptr) return;
  ::dwarf_end(dwarf_);
  dwarf_ = ::dwarf_begin_elf(source_, DWARF_C_READ, nullptr);
}

void debug_information::find_symbols(symbol_table& names) {
  Elf* const separate = separate_.get();
  const bool known = separate != nullptr && names.add(separate);
  if (main_.get() != nullptr) {
    if (!known) {
      static_cast<void>(names.add(main_.get()));
      find_mini_symbols(names);
    }
    names.add_stubs(main_.get());
  }
  names.finish();
  for (std::size_t i = 0; i < asked_.size(); ++i)
    asked_[i].symbol = names.find(i);
}

// Only those who have no other names of their functions look for them.
void debug_information::find_mini_symbols(symbol_table& names) {
  if (state_.has_debug_information) return;
  if (mini_symbols_.get() == nullptr && state_.problem.empty())
    mini_symbols_ = unpack_mini_symbols(main_.get(), state_.problem);
  if (mini_symbols_.get() != nullptr) static_cast<void>(names.add(mini_symbols_.get()));
}

void debug_information::add_to_unit(Dwarf_Off offset, std::size_t wanted) {
  const auto known =
      std::find_if(units_.begin(), units_.end(), [&](const unit& u) { return u.offset == offset; });
  if (known != units_.end())
    known->wanted.push_back(wanted);
  else
    units_.push_back({offset, {wanted}});
}

// g++ writes a table of addresses; clang does not. Says which addresses it does not have.
std::vector<std::size_t> debug_information::find_units_by_table() {
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    Dwarf_Die die;
    if (::dwarf_addrdie(dwarf_, asked_[i].address, &die) != nullptr)
      add_to_unit(::dwarf_dieoffset(&die), i);
    else
      missing.push_back(i);
  }
  return missing;
}

void debug_information::find_units_by_ranges(std::span<const std::size_t> missing) {
  Dwarf_Off at = 0;
  Dwarf_Off next = 0;
  std::size_t header = 0;
  std::size_t read = 0;
  while (::dwarf_nextcu(dwarf_, at, &next, &header, nullptr, nullptr, nullptr) == 0) {
    const Dwarf_Off offset = at + header;
    at = next;
    if (++read % units_between == 0) begin_again();
    Dwarf_Die die;
    if (dwarf_ == nullptr) return;
    if (::dwarf_offdie(dwarf_, offset, &die) == nullptr ||
        (::dwarf_tag(&die) != DW_TAG_compile_unit && ::dwarf_tag(&die) != DW_TAG_skeleton_unit))
      continue;
    for_each_range(die, [&](std::uintptr_t begin, std::uintptr_t end) {
      if (begin == 0) return;  // dropped by the linker
      const auto less = [&](std::size_t i, std::uintptr_t value) {
        return asked_[i].address < value;
      };
      auto each = std::lower_bound(missing.begin(), missing.end(), begin, less);
      for (; each != missing.end() && asked_[*each].address < end; ++each)
        add_to_unit(offset, *each);
    });
  }
}

void debug_information::find_units() {
  units_.clear();
  if (dwarf_ == nullptr) return;
  const std::vector<std::size_t> missing = find_units_by_table();
  if (!missing.empty()) find_units_by_ranges(missing);
}

void debug_information::read_unit(unit& next, answer_sink& to) {
  std::sort(next.wanted.begin(), next.wanted.end());
  next.wanted.erase(std::unique(next.wanted.begin(), next.wanted.end()), next.wanted.end());
  reading_answer reading;
  for (const std::size_t wanted : next.wanted)
    reading.indexes.push_back(asked_[wanted].index);
  to.say(reading);
  begin_again();
  if (dwarf_ == nullptr) return;
  std::vector<std::uintptr_t> addresses;
  addresses.reserve(next.wanted.size());
  for (const std::size_t wanted : next.wanted)
    addresses.push_back(asked_[wanted].address);
  debug_unit content{next.offset,
                     level_ == name_level::full ? unit_depth::functions : unit_depth::lines,
                     find_line_sections(source_), addresses};
  for (std::size_t i = 0; i < next.wanted.size(); ++i) {
    const asked& each = asked_[next.wanted[i]];
    found_answer found;
    found.index = each.index;
    content.locate(dwarf_, i, each.symbol, found.places);
    answer(found, to);
  }
  missing_.add(content.missing_part(), content.folder());
}

// Nothing that was read from a file while somebody wrote to it.
void debug_information::answer(const found_answer& found, answer_sink& to) const {
  if (main_.has_changed() || separate_.has_changed()) throw file_has_changed{};
  to.say(found);
}

void debug_information::locate(const locate_order& order, answer_sink& to) {
  asked_.clear();
  for (std::size_t i = 0; i < order.addresses.size(); ++i)
    asked_.push_back({order.addresses[i], i, nullptr});
  std::sort(asked_.begin(), asked_.end(),
            [](const asked& a, const asked& b) { return a.address < b.address; });
  std::vector<std::uintptr_t> addresses;
  addresses.reserve(asked_.size());
  for (const asked& each : asked_)
    addresses.push_back(each.address);
  symbol_table names{addresses};
  find_symbols(names);
  find_units();
  std::vector<bool> in_unit(asked_.size());
  for (const unit& each : units_)
    for (const std::size_t wanted : each.wanted)
      in_unit[wanted] = true;
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    if (in_unit[i]) continue;
    found_answer found;
    found.index = asked_[i].index;
    if (asked_[i].symbol != nullptr)
      found.places.push_back({.function = demangle(asked_[i].symbol), .file = {}});
    answer(found, to);
  }
  for (unit& each : units_)
    read_unit(each, to);
  const std::string missing = missing_.problem(module_.path);
  if (state_.problem.empty()) state_.problem = missing;
  if (!state_.problem.empty()) to.say(state_);
}

}  // namespace gmr::symbolize
