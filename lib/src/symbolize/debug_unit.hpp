// One compilation unit's functions, inlined calls and lines.
#pragma once

#include <elfutils/libdw.h>

#include <cstdint>
#include <vector>

#include "symbolize/backend.hpp"

namespace gmr::symbolize {

// Reads its functions at first use and the inlined calls of a function when it is first asked for.
class debug_unit final {
 public:
  // `skeleton` has the lines, `full` the functions: the same unless split DWARF is used.
  debug_unit(Dwarf_Die skeleton, Dwarf_Die full) : skeleton_(skeleton), full_(full) {}

  // Appends places, innermost first. `symbol` is what the symbol table calls the address, or null.
  void locate(std::uintptr_t address, const char* symbol, std::vector<place>& places);

 private:
  struct inlined_call {
    Dwarf_Die die;
    int depth = 0;
  };
  struct call_range {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    std::size_t call = 0;
  };
  struct function {
    Dwarf_Die die;
    bool read = false;
    std::vector<inlined_call> calls;
    std::vector<call_range> ranges;
  };
  struct function_range {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    std::size_t function = 0;
  };

  void read_functions();
  void read_functions_below(Dwarf_Die parent, int depth);
  static void read_calls(function& in, Dwarf_Die parent, int depth);
  [[nodiscard]] function* find_function(std::uintptr_t address);
  std::string full_path(const char* file);
  void take_line(std::uintptr_t address, place& at);
  void take_caller(Dwarf_Die call, place& at);

  Dwarf_Die skeleton_;
  Dwarf_Die full_;
  bool functions_read_ = false;
  std::vector<function> functions_;
  std::vector<function_range> ranges_;
};

}  // namespace gmr::symbolize
