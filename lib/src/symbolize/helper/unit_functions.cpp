#include "symbolize/helper/unit_functions.hpp"

#include <algorithm>

#include "symbolize/helper/die_tree.hpp"

namespace gmr::symbolize {

void unit_functions::add(Dwarf_Die function) {
  const Dwarf_Off offset = ::dwarf_dieoffset(&function) - unit_;
  for_each_range(function, [&](std::uintptr_t begin, std::uintptr_t end) {
    // Functions that the linker dropped are left at 0.
    if (begin == 0 || end - begin > UINT32_MAX || offset > UINT32_MAX) return;
    ranges_.push_back(
        {begin, static_cast<std::uint32_t>(end - begin), static_cast<std::uint32_t>(offset)});
  });
}

void unit_functions::read_below(Dwarf_Die parent, int depth) {
  for_each_child(parent, [&](Dwarf_Die child) {
    const int tag = ::dwarf_tag(&child);
    if (is_scope(tag) && depth < deepest_die) read_below(child, depth + 1);
    if (tag == DW_TAG_subprogram) add(child);
  });
}

void unit_functions::read_nested_below(Dwarf_Die parent, bool in_function, int depth) {
  for_each_child(parent, [&](Dwarf_Die child) {
    const int tag = ::dwarf_tag(&child);
    const bool function = tag == DW_TAG_subprogram;
    if (function && in_function) add(child);
    if ((function || is_scope(tag) || is_block(tag)) && depth < deepest_die)
      read_nested_below(child, in_function || function, depth + 1);
  });
}

void unit_functions::finish() {
  std::sort(ranges_.begin(), ranges_.end(),
            [](const range& a, const range& b) { return a.begin < b.begin; });
  ranges_.shrink_to_fit();
}

void unit_functions::read(Dwarf_Die unit) {
  unit_ = ::dwarf_dieoffset(&unit);
  read_below(unit, 0);
  finish();
}

void unit_functions::read_nested(Dwarf_Die unit) {
  read_nested_below(unit, false, 0);
  finish();
}

std::optional<Dwarf_Off> unit_functions::find(std::uintptr_t address) const {
  const auto after =
      std::upper_bound(ranges_.begin(), ranges_.end(), address,
                       [](std::uintptr_t value, const range& each) { return value < each.begin; });
  if (after == ranges_.begin()) return std::nullopt;
  const range& found = *std::prev(after);
  if (address - found.begin >= found.size) return std::nullopt;
  return unit_ + found.die;
}

}  // namespace gmr::symbolize
