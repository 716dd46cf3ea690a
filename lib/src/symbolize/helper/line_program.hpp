// The lines of some addresses, from the line number program of one compilation unit. libdw makes a
// table of all rows, for which a large unit takes 20 MiB; this keeps nothing but the answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace gmr::symbolize {

using section_bytes = std::span<const unsigned char>;

struct line_sections {
  section_bytes lines;         // .debug_line
  section_bytes strings;       // .debug_str
  section_bytes line_strings;  // .debug_line_str
};

struct found_line {
  std::uint64_t file = 0;  // as the unit numbers them
  std::uint32_t line = 0;  // 0: none
};

// Where debuggers say that an instruction is: of the rows at one address the last with a line
// counts, since earlier ones say which statements begin there without any instruction. Instructions
// of no line (0, as clang has them) count as part of the line before. Views the sections, which
// must outlive it. Not synchronised.
class line_program final {
 public:
  struct file_name {
    std::string_view folder;  // as it is written there: relative ones count from the unit's
    std::string_view name;
  };

  // False when there is no program of DWARF 2 to 5 at the offset, or it is damaged.
  [[nodiscard]] bool open(const line_sections& sections, std::uint64_t offset,
                          std::string_view unit_folder);
  // Empty when the number is none.
  [[nodiscard]] file_name file(std::uint64_t number) const;
  // For addresses in ascending order, one each.
  [[nodiscard]] std::vector<found_line> find(std::span<const std::uintptr_t> addresses) const;

 private:
  struct entry_format;
  struct entry_value;
  class cursor;
  class machine;

  [[nodiscard]] bool read_header(cursor& at);
  [[nodiscard]] bool read_old_files(cursor& at, std::string_view unit_folder);
  [[nodiscard]] bool read_files(cursor& at);
  [[nodiscard]] std::string_view string_in(section_bytes strings, std::uint64_t offset) const;
  [[nodiscard]] bool read_value(cursor& at, std::uint64_t form, entry_value& value) const;
  template <class Take>
  [[nodiscard]] bool read_entries(cursor& at, Take take);
  static void run_extended(cursor& at, machine& state);
  void run_special(unsigned opcode, machine& state) const;
  void run_standard(unsigned opcode, cursor& at, machine& state) const;

  line_sections sections_;
  section_bytes program_;
  unsigned version_ = 0;
  bool is_wide_ = false;  // 64-bit DWARF
  std::uint8_t least_instruction_ = 1;
  std::uint8_t operations_ = 1;  // in an instruction; 1 but on machines with long words
  std::int8_t line_base_ = 0;
  std::uint8_t line_range_ = 1;
  std::uint8_t opcode_base_ = 1;
  section_bytes argument_counts_;  // of standard opcodes
  std::vector<std::string_view> folders_;
  std::vector<file_name> files_;
};

}  // namespace gmr::symbolize
