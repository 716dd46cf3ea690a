// dwarf_getscopes reads a whole unit for every address (up to 15 ms); here a unit's functions are
// listed once, and a function's inlined calls once.
#include "symbolize/debug_unit.hpp"

#include <dwarf.h>

#include <algorithm>
#include <filesystem>

#include "symbolize/die_names.hpp"

namespace gmr::symbolize {
namespace {

constexpr int deepest = 128;

template <class Use>
void for_each_child(Dwarf_Die parent, Use use) {
  Dwarf_Die child;
  if (::dwarf_child(&parent, &child) != 0) return;
  do {
    use(child);
  } while (::dwarf_siblingof(&child, &child) == 0);
}

template <class Use>
void for_each_range(Dwarf_Die die, Use use) {
  Dwarf_Addr base = 0;
  Dwarf_Addr begin = 0;
  Dwarf_Addr end = 0;
  for (ptrdiff_t at = 0; (at = ::dwarf_ranges(&die, at, &base, &begin, &end)) > 0;) {
    if (begin < end) use(begin, end);
  }
}

std::uint64_t number(Dwarf_Die die, unsigned name) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (::dwarf_attr(&die, name, &attribute) == nullptr || ::dwarf_formudata(&attribute, &value) != 0)
    return 0;
  return value;
}

// The last line entry at or before the address; of several at one address the last that begins a
// statement, which is what debuggers show.
Dwarf_Line* find_line(Dwarf_Lines* lines, std::size_t count, std::uintptr_t address) {
  const auto address_of = [&](std::size_t index) {
    Dwarf_Addr value = 0;
    ::dwarf_lineaddr(::dwarf_onesrcline(lines, index), &value);
    return value;
  };
  std::size_t low = 0;
  std::size_t high = count;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (address_of(middle) <= address) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0) return nullptr;
  Dwarf_Line* const last = ::dwarf_onesrcline(lines, low - 1);
  bool flag = false;
  if (::dwarf_lineendsequence(last, &flag) != 0 || flag) return nullptr;
  const Dwarf_Addr at = address_of(low - 1);
  for (std::size_t i = low; i > 0 && address_of(i - 1) == at; --i) {
    Dwarf_Line* const line = ::dwarf_onesrcline(lines, i - 1);
    if (::dwarf_lineendsequence(line, &flag) == 0 && flag) break;
    if (::dwarf_linebeginstatement(line, &flag) == 0 && flag) return line;
  }
  return last;
}

}  // namespace

void debug_unit::read_functions_below(Dwarf_Die parent, int depth) {
  for_each_child(parent, [&](Dwarf_Die child) {
    const int tag = ::dwarf_tag(&child);
    const bool scope = tag == DW_TAG_namespace || tag == DW_TAG_module ||
                       tag == DW_TAG_structure_type || tag == DW_TAG_class_type;
    if (scope && depth < deepest) read_functions_below(child, depth + 1);
    if (tag != DW_TAG_subprogram) return;
    const std::size_t index = functions_.size();
    for_each_range(child, [&](std::uintptr_t begin, std::uintptr_t end) {
      ranges_.push_back({begin, end, index});
    });
    if (!ranges_.empty() && ranges_.back().function == index)
      functions_.push_back({child, false, {}, {}});
  });
}

void debug_unit::read_functions() {
  functions_read_ = true;
  read_functions_below(full_, 0);
  std::sort(ranges_.begin(), ranges_.end(),
            [](const auto& a, const auto& b) { return a.begin < b.begin; });
}

void debug_unit::read_calls(function& in, Dwarf_Die parent, int depth) {
  for_each_child(parent, [&](Dwarf_Die child) {
    const int tag = ::dwarf_tag(&child);
    const bool call = tag == DW_TAG_inlined_subroutine;
    if (!call && tag != DW_TAG_lexical_block && tag != DW_TAG_try_block &&
        tag != DW_TAG_catch_block)
      return;
    if (call) {
      const std::size_t index = in.calls.size();
      in.calls.push_back({child, depth});
      for_each_range(child, [&](std::uintptr_t begin, std::uintptr_t end) {
        in.ranges.push_back({begin, end, index});
      });
    }
    if (depth < deepest) read_calls(in, child, depth + 1);
  });
}

debug_unit::function* debug_unit::find_function(std::uintptr_t address) {
  if (!functions_read_) read_functions();
  const auto after =
      std::upper_bound(ranges_.begin(), ranges_.end(), address,
                       [](std::uintptr_t value, const auto& range) { return value < range.begin; });
  if (after == ranges_.begin() || address >= std::prev(after)->end) return nullptr;
  function& found = functions_[std::prev(after)->function];
  if (!found.read) read_calls(found, found.die, 0);
  found.read = true;
  return &found;
}

// As the compiler was given it: relative names count from the folder it ran in.
std::string debug_unit::full_path(const char* file) {
  if (file == nullptr) return {};
  Dwarf_Attribute attribute;
  const char* const folder =
      file[0] == '/' ? nullptr
                     : ::dwarf_formstring(::dwarf_attr(&skeleton_, DW_AT_comp_dir, &attribute));
  if (folder == nullptr) return file;
  return (std::filesystem::path{folder} / file).lexically_normal().string();
}

void debug_unit::take_line(std::uintptr_t address, place& at) {
  Dwarf_Lines* lines = nullptr;
  std::size_t count = 0;
  if (::dwarf_getsrclines(&skeleton_, &lines, &count) != 0) return;
  Dwarf_Line* const line = find_line(lines, count, address);
  int row = 0;
  if (line == nullptr || ::dwarf_lineno(line, &row) != 0 || row <= 0) return;
  const char* const file = ::dwarf_linesrc(line, nullptr, nullptr);
  at.file = full_path(file);
  at.line = static_cast<std::uint32_t>(row);
}

void debug_unit::take_caller(Dwarf_Die call, place& at) {
  Dwarf_Files* files = nullptr;
  std::size_t count = 0;
  const std::uint64_t index = number(call, DW_AT_call_file);
  if (::dwarf_getsrcfiles(&full_, &files, &count) != 0 || index >= count) return;
  const char* const file = ::dwarf_filesrc(files, index, nullptr, nullptr);
  at.file = full_path(file);
  at.line = static_cast<std::uint32_t>(number(call, DW_AT_call_line));
}

void debug_unit::locate(std::uintptr_t address, const char* symbol, std::vector<place>& places) {
  place here;
  take_line(address, here);
  function* const found = find_function(address);
  if (found == nullptr) {
    here.function = symbol != nullptr ? symbol : "";
    places.push_back(std::move(here));
    return;
  }
  std::vector<const inlined_call*> chain;
  for (const call_range& range : found->ranges) {
    if (address >= range.begin && address < range.end) chain.push_back(&found->calls[range.call]);
  }
  std::sort(chain.begin(), chain.end(),
            [](const auto* a, const auto* b) { return a->depth > b->depth; });
  for (const inlined_call* call : chain) {
    here.function = function_name(call->die, nullptr);
    here.inlined = true;
    places.push_back(std::move(here));
    here = {};
    take_caller(call->die, here);
  }
  here.function = function_name(found->die, symbol);
  places.push_back(std::move(here));
}

}  // namespace gmr::symbolize
