// The index of units is our own: .debug_aranges is missing from what clang makes.
#include "symbolize/debug_information.hpp"

#include <dwarf.h>

#include <algorithm>

#include "symbolize/debug_file.hpp"

namespace gmr::symbolize {

using unwind::elf_image;

void debug_information::open() {
  if (opened_) return;
  opened_ = true;
  main_ = elf_image::of(module_, elf_image::access::map);
  from_memory_ = main_.from_memory();
  Elf* const elf = main_.get();
  if (elf == nullptr) return;
  Elf* source = elf;
  if (!from_memory_ && !has_debug_information(elf)) {
    separate_ = find_separate_debug_file(elf, module_.path);
    if (separate_.get() != nullptr) source = separate_.get();
  }
  if (has_debug_information(source)) dwarf_ = ::dwarf_begin_elf(source, DWARF_C_READ, nullptr);
  if (separate_.get() != nullptr) symbols_.add(separate_.get());
  if (symbols_.empty()) symbols_.add(elf);
  symbols_.add_stubs(elf);
}

void debug_information::close() noexcept {
  for (const auto& unit : units_)
    unit->close();
  if (dwarf_ != nullptr) ::dwarf_end(dwarf_);
  dwarf_ = nullptr;
  symbols_ = {};
  separate_ = {};
  main_ = {};
  opened_ = false;
}

bool debug_information::from_memory() {
  open();
  return from_memory_;
}

void debug_information::add_unit(Dwarf_Die unit) {
  Dwarf_Addr base = 0;
  Dwarf_Addr begin = 0;
  Dwarf_Addr end = 0;
  bool has_code = false;
  for (ptrdiff_t at = 0; (at = ::dwarf_ranges(&unit, at, &base, &begin, &end)) > 0;) {
    // Sections that the linker dropped are left at 0.
    if (begin == 0 || begin >= end) continue;
    ranges_.push_back({begin, end, units_.size()});
    has_code = true;
  }
  if (has_code) units_.push_back(std::make_unique<debug_unit>(::dwarf_dieoffset(&unit)));
}

void debug_information::index_units() {
  if (indexed_ || dwarf_ == nullptr) return;
  indexed_ = true;
  Dwarf_CU* unit = nullptr;
  Dwarf_Half version = 0;
  std::uint8_t type = 0;
  Dwarf_Die die;
  while (::dwarf_get_units(dwarf_, unit, &unit, &version, &type, &die, nullptr) == 0) {
    if (type == DW_UT_type || type == DW_UT_split_type || type == DW_UT_partial) continue;
    add_unit(die);
  }
  std::sort(ranges_.begin(), ranges_.end(),
            [](const auto& a, const auto& b) { return a.begin < b.begin; });
}

debug_unit* debug_information::find_unit(std::uintptr_t address) {
  const auto after =
      std::upper_bound(ranges_.begin(), ranges_.end(), address,
                       [](std::uintptr_t value, const auto& range) { return value < range.begin; });
  if (after == ranges_.begin() || address >= std::prev(after)->end) return nullptr;
  return units_[std::prev(after)->unit].get();
}

void debug_information::locate(std::uintptr_t address, file_names& names,
                               std::vector<place>& places) {
  open();
  index_units();
  const char* const symbol = symbols_.find(address);
  if (debug_unit* const unit = dwarf_ != nullptr ? find_unit(address) : nullptr)
    return unit->locate(dwarf_, names, address, symbol, places);
  if (symbol != nullptr) places.push_back({.function = symbol, .file = {}});
}

}  // namespace gmr::symbolize
