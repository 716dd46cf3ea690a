// One compilation unit's functions, inlined calls and lines.
#pragma once

#include <elfutils/libdw.h>

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "symbolize/helper/line_program.hpp"
#include "symbolize/helper/unit_functions.hpp"
#include "symbolize/place.hpp"

namespace gmr::symbolize {

enum class unit_depth { lines, functions };

// Reads its lines and functions at first use, and the inlined calls of a function when it is first
// asked for. Not synchronised.
class debug_unit final {
 public:
  // `addresses`: all that will be asked for, ascending. They and what is viewed by `sections`
  // outlive the object.
  debug_unit(Dwarf_Off offset, unit_depth depth, const line_sections& sections,
             std::span<const std::uintptr_t> addresses)
      : offset_(offset), depth_(depth), sections_(sections), addresses_(addresses) {}

  // Appends the places of the address of that index, innermost first. `symbol` is what the symbol
  // table calls it, or null. `file` is the unit's own, always the same object.
  void locate(Dwarf* file, std::size_t index, const char* symbol, std::vector<place>& places);

  // After that: the file with the unit's functions where that is not there, otherwise null, and the
  // folder that its name is relative to.
  [[nodiscard]] const char* missing_part() const noexcept { return missing_part_; }
  [[nodiscard]] const char* folder() const noexcept { return folder_; }

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
  void read();
  [[nodiscard]] function* find_function(std::uintptr_t address);
  static void read_calls(function& in, Dwarf_Die parent, int depth);
  void take_line(std::size_t index, place& at) const;
  void take_caller(Dwarf_Die call, place& at) const;

  Dwarf_Off offset_;
  unit_depth depth_;
  line_sections sections_;
  std::span<const std::uintptr_t> addresses_;
  bool read_ = false;
  bool nested_read_ = false;
  const char* folder_ = nullptr;
  const char* missing_part_ = nullptr;
  line_program lines_;
  std::vector<found_line> found_lines_;  // of `addresses_`; empty when nothing is known
  unit_functions functions_;
  std::vector<std::string> call_files_;  // empty: those of the lines
  std::unique_ptr<open_unit> open_;
};

}  // namespace gmr::symbolize
