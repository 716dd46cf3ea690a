// One compilation unit's functions, inlined calls and lines.
#pragma once

#include <elfutils/libdw.h>

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "symbolize/backend.hpp"
#include "symbolize/unit_functions.hpp"
#include "symbolize/unit_lines.hpp"

namespace gmr::symbolize {

// Reads its functions and lines at first use and keeps them; reads the inlined calls of a function
// when it is first asked for and keeps them until closed. Not synchronised.
class debug_unit final {
 public:
  explicit debug_unit(Dwarf_Off offset) : offset_(offset) {}

  // Appends places, innermost first. `symbol` is what the symbol table calls the address, or null.
  // `file` is the unit's own, the same object until close().
  void locate(Dwarf* file, file_names& names, std::uintptr_t address, const char* symbol,
              std::vector<place>& places);
  // Before the file is closed.
  void close() noexcept { open_.reset(); }

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
    std::vector<inlined_call> calls;
    std::vector<call_range> ranges;
  };
  struct open_unit {
    Dwarf_Die skeleton;  // has the lines
    Dwarf_Die full;      // has the functions: the same unless split DWARF is used
    boost::unordered_flat_map<Dwarf_Off, std::unique_ptr<function>> functions;
  };

  bool open(Dwarf* file);
  void read(file_names& names);
  [[nodiscard]] function* find_function(std::uintptr_t address);
  static void read_calls(function& in, Dwarf_Die parent, int depth);
  void take_line(std::uintptr_t address, place& at) const;
  void take_caller(Dwarf_Die call, place& at) const;

  Dwarf_Off offset_;
  bool read_ = false;
  bool nested_read_ = false;
  unit_lines lines_;
  unit_functions functions_;
  unit_files call_files_;  // empty: those of the lines
  std::unique_ptr<open_unit> open_;
};

}  // namespace gmr::symbolize
