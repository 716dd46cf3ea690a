// libdw keeps some 50 bytes a row and one unit may have 150,000 rows; a quarter of them differ in
// what they say.
#include "symbolize/unit_lines.hpp"

#include <dwarf.h>

#include <algorithm>
#include <filesystem>
#include <span>

namespace gmr::symbolize {
namespace {

// Functions that the linker dropped are left at 0.
constexpr std::uintptr_t lowest_code = 1;

// As the compiler was given it: relative names count from the folder it ran in.
std::string full_path(const char* file, const char* folder) {
  if (file[0] == '/' || folder == nullptr) return file;
  return (std::filesystem::path{folder} / file).lexically_normal().string();
}

std::uintptr_t address_of(Dwarf_Line* line) {
  Dwarf_Addr address = 0;
  ::dwarf_lineaddr(line, &address);
  return address;
}

bool ends_sequence(Dwarf_Line* line) {
  bool flag = false;
  return ::dwarf_lineendsequence(line, &flag) != 0 || flag;
}

std::uint32_t number_of(Dwarf_Line* line) {
  int number = 0;
  return ::dwarf_lineno(line, &number) == 0 && number > 0 ? static_cast<std::uint32_t>(number) : 0;
}

std::uint32_t file_of(Dwarf_Line* line) {
  Dwarf_Files* files = nullptr;
  std::size_t index = 0;
  return ::dwarf_line_file(line, &files, &index) == 0 ? static_cast<std::uint32_t>(index) : 0;
}

}  // namespace

unit_files read_files(Dwarf_Die unit, file_names& names) {
  unit_files result;
  Dwarf_Files* files = nullptr;
  std::size_t count = 0;
  if (::dwarf_getsrcfiles(&unit, &files, &count) != 0) return result;
  Dwarf_Attribute attribute;
  const char* const folder = ::dwarf_formstring(::dwarf_attr(&unit, DW_AT_comp_dir, &attribute));
  for (std::size_t i = 0; i < count; ++i) {
    const char* const name = ::dwarf_filesrc(files, i, nullptr, nullptr);
    result.push_back(name != nullptr ? &*names.insert(full_path(name, folder)).first : nullptr);
  }
  return result;
}

void unit_lines::add(const row& next) {
  if (!rows_.empty() && rows_.back().same_line(next)) return;
  rows_.push_back(next);
}

void unit_lines::read(Dwarf_Die unit, file_names& names) {
  Dwarf_Lines* lines = nullptr;
  std::size_t count = 0;
  if (::dwarf_getsrclines(&unit, &lines, &count) != 0) return;
  files_ = read_files(unit, names);
  for (std::size_t i = 0; i < count;) {
    const std::uintptr_t address = address_of(::dwarf_onesrcline(lines, i));
    if (base_ == 0) base_ = address;
    const std::uintptr_t distance = address - base_;
    bool ended = false;
    Dwarf_Line* chosen = nullptr;
    for (; i < count && address_of(::dwarf_onesrcline(lines, i)) == address; ++i) {
      Dwarf_Line* const line = ::dwarf_onesrcline(lines, i);
      if (ends_sequence(line)) {
        ended = true;
        chosen = nullptr;
      } else if (number_of(line) != 0) {
        // The last one is the instruction's own. Earlier ones say which statements begin there
        // without any: of a call, its arguments, which may be inlined from anywhere.
        chosen = line;
      }
    }
    if (address < lowest_code || distance > UINT32_MAX) continue;
    const auto at = static_cast<std::uint32_t>(distance);
    if (chosen != nullptr)
      add({at, number_of(chosen), file_of(chosen)});
    else if (ended)
      add({at, end_of_sequence, 0});
  }
  rows_.shrink_to_fit();
}

source_line unit_lines::find(std::uintptr_t address) const {
  if (address < base_ || address - base_ > UINT32_MAX) return {};
  const auto after =
      std::upper_bound(rows_.begin(), rows_.end(), static_cast<std::uint32_t>(address - base_),
                       [](std::uint32_t value, const row& each) { return value < each.address; });
  if (after == rows_.begin() || std::prev(after)->line == end_of_sequence) return {};
  const row& found = *std::prev(after);
  return {found.file < files_.size() ? files_[found.file] : nullptr, found.line};
}

}  // namespace gmr::symbolize
