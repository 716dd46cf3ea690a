// The line table of one compilation unit, in a few bytes a row.
#pragma once

#include <elfutils/libdw.h>

#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

namespace gmr::symbolize {

// Names of source files, shared by all units; none is ever dropped or moved.
using file_names = std::unordered_set<std::string>;

// The files that a unit numbers; null where it has none for a number.
using unit_files = std::vector<const std::string*>;
[[nodiscard]] unit_files read_files(Dwarf_Die unit, file_names& names);

struct source_line {
  const std::string* file = nullptr;  // null: unknown
  std::uint32_t line = 0;
};

// Knows for an address the line that debuggers show: of the rows at one address the last that
// begins a statement. Instructions of no line (0, as clang has them) count as part of the line
// before.
class unit_lines final {
 public:
  void read(Dwarf_Die unit, file_names& names);

  [[nodiscard]] source_line find(std::uintptr_t address) const;
  [[nodiscard]] const unit_files& files() const noexcept { return files_; }

 private:
  static constexpr std::uint32_t end_of_sequence = 0;

  struct row {
    std::uint32_t address = 0;  // from base_
    std::uint32_t line = end_of_sequence;
    std::uint32_t file = 0;  // index into files_

    [[nodiscard]] bool same_line(const row& other) const noexcept {
      return line == other.line && file == other.file;
    }
  };

  void add(const row& next);

  std::uintptr_t base_ = 0;
  std::vector<row> rows_;
  unit_files files_;
};

}  // namespace gmr::symbolize
