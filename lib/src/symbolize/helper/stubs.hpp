// The stubs through which an ELF file calls other modules (PLT).
#pragma once

#include <gelf.h>

#include <cstdint>
#include <vector>

namespace gmr::symbolize {

struct stub {
  std::uintptr_t begin = 0;  // addresses as in the file
  std::uintptr_t end = 0;
  const char* called = nullptr;  // in `elf`'s own memory
};

// Those whose function has a name. Damaged files have fewer.
[[nodiscard]] std::vector<stub> find_stubs(Elf* elf);

}  // namespace gmr::symbolize
