// Where the functions of one compilation unit are, in a few bytes each.
#pragma once

#include <elfutils/libdw.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace gmr::symbolize {

class unit_functions final {
 public:
  // What stands in the unit and its namespaces and classes: nearly all.
  void read(Dwarf_Die unit);
  // Members of classes within functions, such as lambdas, which some compilers leave there: reads
  // the whole unit.
  void read_nested(Dwarf_Die unit);

  // The offset of the function's DIE.
  [[nodiscard]] std::optional<Dwarf_Off> find(std::uintptr_t address) const;

 private:
  struct range {
    std::uintptr_t begin = 0;
    std::uint32_t size = 0;
    std::uint32_t die = 0;  // from unit_
  };

  void add(Dwarf_Die function);
  void read_below(Dwarf_Die parent, int depth);
  void read_nested_below(Dwarf_Die parent, bool in_function, int depth);
  void finish();

  Dwarf_Off unit_ = 0;
  std::vector<range> ranges_;
};

}  // namespace gmr::symbolize
