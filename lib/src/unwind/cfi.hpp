// Call frame information of one module, through libdw.
#pragma once

#include <elfutils/libdw.h>

#include <cstdint>
#include <vector>

#include "unwind/elf_image.hpp"
#include "unwind/row.hpp"

namespace gmr::unwind {

// Not synchronised.
class cfi final {
 public:
  explicit cfi(const os::module& loaded);
  ~cfi();
  cfi(const cfi&) = delete;
  cfi& operator=(const cfi&) = delete;

  // `address` as in the file. A complex row is appended to `complex`.
  [[nodiscard]] row compile(std::uintptr_t address, std::vector<complex_row>& complex) const;

 private:
  elf_image image_;
  Dwarf_CFI* cfi_ = nullptr;
};

}  // namespace gmr::unwind
