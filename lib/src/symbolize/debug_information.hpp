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

// Opens its files and indexes them at first use; what is kept when they are closed is small. `of`
// must outlive it. Not synchronised.
class debug_information final {
 public:
  explicit debug_information(const unwind::module& of) : module_(of) {}
  ~debug_information() { close(); }
  debug_information(const debug_information&) = delete;
  debug_information& operator=(const debug_information&) = delete;

  // Done at the first use, too.
  void open();
  // `address` as in the file.
  void locate(std::uintptr_t address, file_names& names, std::vector<place>& places);
  // Frees what can be read again; opens again when it must.
  void close() noexcept;
  // The file on disk is not what was loaded.
  [[nodiscard]] bool from_memory();

 private:
  struct unit_range {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    std::size_t unit = 0;
  };

  void index_units();
  void add_unit(Dwarf_Die unit);
  [[nodiscard]] debug_unit* find_unit(std::uintptr_t address);

  const unwind::module& module_;
  bool opened_ = false;
  bool indexed_ = false;
  bool from_memory_ = false;
  unwind::elf_image main_;
  unwind::elf_image separate_;
  Dwarf* dwarf_ = nullptr;
  symbol_table symbols_;
  std::vector<unit_range> ranges_;
  std::vector<std::unique_ptr<debug_unit>> units_;
};

}  // namespace gmr::symbolize
