// Function symbols of an ELF file by address.
#pragma once

#include <gelf.h>

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace gmr::symbolize {

// Points into the ELF objects it was filled from, which must outlive it.
class symbol_table final {
 public:
  // .symtab if there is one, else .dynsym.
  void add(Elf* elf);
  // "name@plt" for the stubs through which `elf` calls other modules.
  void add_stubs(Elf* elf);

  // Null when no symbol covers the address (as in the file).
  [[nodiscard]] const char* find(std::uintptr_t address) const;
  [[nodiscard]] bool empty() const noexcept { return symbols_.empty(); }

 private:
  struct symbol {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    const char* name = nullptr;
    int rank = 0;       // of names for one address the lowest is shown
    bool sized = true;  // otherwise up to the next, and at most to the end of its section
  };

  void add_section(Elf* elf, Elf_Scn* section, std::size_t strings);
  void finish();

  std::vector<symbol> symbols_;
  std::deque<std::string> stubs_;  // names made here
};

}  // namespace gmr::symbolize
