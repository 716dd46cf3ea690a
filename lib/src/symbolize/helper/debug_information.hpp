// Everything known about the code of one module.
#pragma once

#include <elfutils/libdw.h>

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "symbolize/helper/missing_parts.hpp"
#include "symbolize/helper/symbol_table.hpp"
#include "symbolize/wire.hpp"
#include "unwind/elf_image.hpp"

namespace gmr::symbolize {

// A file of the module was written to while it was read.
class file_has_changed : public std::runtime_error {
 public:
  file_has_changed() : std::runtime_error("a file has changed") {}
};

// Where answers go as soon as they are there: reading on may be the end of the program.
class answer_sink {
 public:
  virtual ~answer_sink() = default;
  virtual void say(const reading_answer& answer) = 0;
  virtual void say(const found_answer& answer) = 0;
  // More is known of the module than when it was opened.
  virtual void say(const opened_answer&) {}
};

// Opens the module's files. The memory that libdw keeps of one unit of debug information is given
// back before the next one is read. Not synchronised.
class debug_information final {
 public:
  // `debug_dirs`: where separate debug files are, ':' between them.
  debug_information(const open_order& order, const std::string& debug_dirs);
  ~debug_information();
  debug_information(const debug_information&) = delete;
  debug_information& operator=(const debug_information&) = delete;

  [[nodiscard]] const opened_answer& state() const noexcept { return state_; }
  // The places of all addresses, in any order. Throws file_has_changed.
  void locate(const locate_order& order, answer_sink& to);

 private:
  struct asked {
    std::uintptr_t address = 0;
    std::size_t index = 0;  // in the order
    const char* symbol = nullptr;
  };
  struct unit {
    Dwarf_Off offset = 0;             // of its DIE
    std::vector<std::size_t> wanted;  // indexes of `asked_`
  };

  void open_debug_information(const std::string& debug_dirs);
  void find_mini_symbols(symbol_table& names);
  void find_symbols(symbol_table& names);
  void find_units();
  std::vector<std::size_t> find_units_by_table();
  void find_units_by_ranges(std::span<const std::size_t> missing);
  void add_to_unit(Dwarf_Off offset, std::size_t wanted);
  void read_unit(unit& next, answer_sink& to);
  void begin_again();
  void answer(const found_answer& found, answer_sink& to) const;

  os::module module_;
  name_level level_;
  opened_answer state_;
  unwind::elf_image main_;
  unwind::elf_image separate_;
  unwind::elf_image unpacked_;      // the same as one of these
  unwind::elf_image mini_symbols_;  // of the module's own file
  missing_parts missing_;
  Elf* source_ = nullptr;  // has the debug information
  Dwarf* dwarf_ = nullptr;
  std::vector<asked> asked_;  // by address
  std::vector<unit> units_;   // that have any of them
};

}  // namespace gmr::symbolize
