// Function symbols of an ELF file for some addresses.
#pragma once

#include <gelf.h>

#include <cstdint>
#include <deque>
#include <span>
#include <string>

#include "symbolize/symbol_choice.hpp"

namespace gmr::symbolize {

// Points into the ELF objects it was filled from, which must outlive it; so must `addresses`, which
// are sorted and as in the file.
class symbol_table final {
 public:
  explicit symbol_table(std::span<const std::uintptr_t> addresses) : choice_(addresses) {}

  // .symtab if there is one, else .dynsym. False when there is nothing for these addresses.
  bool add(Elf* elf);
  // "name@plt" for the stubs through which `elf` calls other modules.
  void add_stubs(Elf* elf);
  void finish() { choice_.finish(); }

  // After that. Null when no symbol covers the address of that index.
  [[nodiscard]] const char* find(std::size_t index) const {
    return reinterpret_cast<const char*>(choice_.name(index));
  }

 private:
  void add_section(Elf* elf, Elf_Scn* section, std::size_t strings);

  symbol_choice choice_;
  std::deque<std::string> stubs_;  // names made here
};

}  // namespace gmr::symbolize
