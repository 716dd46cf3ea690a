// Small steps through the DIEs of debug information.
#pragma once

#include <dwarf.h>
#include <elfutils/libdw.h>

#include <cstddef>
#include <cstdint>

namespace gmr::symbolize {

// Damaged debug information may nest without end.
inline constexpr int deepest_die = 128;

template <class Use>
void for_each_child(Dwarf_Die parent, Use use) {
  Dwarf_Die child;
  if (::dwarf_child(&parent, &child) != 0) return;
  do {
    use(child);
  } while (::dwarf_siblingof(&child, &child) == 0);
}

// Each range of code that belongs to the DIE.
template <class Use>
void for_each_range(Dwarf_Die die, Use use) {
  Dwarf_Addr base = 0;
  Dwarf_Addr begin = 0;
  Dwarf_Addr end = 0;
  for (std::ptrdiff_t at = 0; (at = ::dwarf_ranges(&die, at, &base, &begin, &end)) > 0;) {
    if (begin < end) use(std::uintptr_t{begin}, std::uintptr_t{end});
  }
}

[[nodiscard]] inline bool is_scope(int tag) {
  return tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_structure_type ||
         tag == DW_TAG_class_type;
}

[[nodiscard]] inline bool is_block(int tag) {
  return tag == DW_TAG_lexical_block || tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
}

}  // namespace gmr::symbolize
