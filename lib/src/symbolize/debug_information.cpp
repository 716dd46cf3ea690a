// The index of units is our own: .debug_aranges is missing from what clang makes.
#include "symbolize/debug_information.hpp"

#include <dwarf.h>

#include <algorithm>

#include "symbolize/debug_file.hpp"

namespace gmr::symbolize {

using unwind::elf_image;

debug_information::debug_information(const unwind::module& of)
    : main_(elf_image::of(of, elf_image::access::map)) {
  Elf* const elf = main_.get();
  if (elf == nullptr) return;
  Elf* source = elf;
  if (!main_.from_memory() && !has_debug_information(elf)) {
    separate_ = find_separate_debug_file(elf, of.path);
    if (separate_.get() != nullptr) source = separate_.get();
  }
  if (has_debug_information(source)) dwarf_ = ::dwarf_begin_elf(source, DWARF_C_READ, nullptr);
}

debug_information::~debug_information() {
  if (dwarf_ != nullptr) ::dwarf_end(dwarf_);
}

void debug_information::add_unit(Dwarf_Die skeleton, Dwarf_Die full) {
  Dwarf_Addr base = 0;
  Dwarf_Addr begin = 0;
  Dwarf_Addr end = 0;
  bool has_code = false;
  for (ptrdiff_t at = 0; (at = ::dwarf_ranges(&skeleton, at, &base, &begin, &end)) > 0;) {
    // Sections that the linker dropped are left at 0.
    if (begin == 0 || begin >= end) continue;
    ranges_.push_back({begin, end, units_.size()});
    has_code = true;
  }
  if (has_code) units_.push_back(std::make_unique<debug_unit>(skeleton, full));
}

void debug_information::index_units() {
  indexed_ = true;
  if (separate_.get() != nullptr) symbols_.add(separate_.get());
  if (symbols_.empty() && main_.get() != nullptr) symbols_.add(main_.get());
  if (dwarf_ == nullptr) return;
  Dwarf_CU* unit = nullptr;
  Dwarf_Half version = 0;
  std::uint8_t type = 0;
  Dwarf_Die skeleton;
  Dwarf_Die split;
  while (::dwarf_get_units(dwarf_, unit, &unit, &version, &type, &skeleton, &split) == 0) {
    if (type == DW_UT_type || type == DW_UT_split_type || type == DW_UT_partial) continue;
    add_unit(skeleton, type == DW_UT_skeleton && ::dwarf_tag(&split) == DW_TAG_compile_unit
                           ? split
                           : skeleton);
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

void debug_information::locate(std::uintptr_t address, std::vector<place>& places) {
  if (!indexed_) index_units();
  const char* const symbol = symbols_.find(address);
  if (debug_unit* const unit = find_unit(address)) return unit->locate(address, symbol, places);
  if (symbol != nullptr) places.push_back({.function = symbol, .file = {}});
}

}  // namespace gmr::symbolize
