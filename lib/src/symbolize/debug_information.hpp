// Everything known about the code of one module.
#pragma once

#include <elfutils/libdw.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "symbolize/backend.hpp"
#include "symbolize/debug_unit.hpp"
#include "symbolize/symbol_table.hpp"
#include "unwind/elf_image.hpp"

namespace gmr::symbolize {

// Opens its files when made; indexes at first use. Not synchronised.
class debug_information final {
 public:
  explicit debug_information(const unwind::module& of);
  ~debug_information();
  debug_information(const debug_information&) = delete;
  debug_information& operator=(const debug_information&) = delete;

  // `address` as in the file.
  void locate(std::uintptr_t address, std::vector<place>& places);
  // The file on disk is not what was loaded.
  [[nodiscard]] bool from_memory() const noexcept { return main_.from_memory(); }

 private:
  struct unit_range {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    std::size_t unit = 0;
  };

  void index_units();
  void add_unit(Dwarf_Die skeleton, Dwarf_Die full);
  [[nodiscard]] debug_unit* find_unit(std::uintptr_t address);

  unwind::elf_image main_;
  unwind::elf_image separate_;
  Dwarf* dwarf_ = nullptr;
  bool indexed_ = false;
  std::vector<unit_range> ranges_;
  std::vector<std::unique_ptr<debug_unit>> units_;
  symbol_table symbols_;
};

}  // namespace gmr::symbolize
