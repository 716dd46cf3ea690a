#include "symbolize/helper/unit_files.hpp"

#include <dwarf.h>
#include <gelf.h>

#include <cstddef>
#include <filesystem>
#include <string_view>

namespace gmr::symbolize {
namespace {

section_bytes bytes_of(Elf_Scn* section) {
  const Elf_Data* const data = ::elf_getdata(section, nullptr);
  if (data == nullptr || data->d_buf == nullptr) return {};
  return {static_cast<const unsigned char*>(data->d_buf), data->d_size};
}

}  // namespace

std::string full_path(const std::string& file, const char* folder) {
  if (file.starts_with('/') || folder == nullptr) return file;
  return (std::filesystem::path{folder} / file).lexically_normal().string();
}

std::string full_path(const line_program::file_name& file, const char* folder) {
  if (file.name.empty()) return {};
  if (file.name.starts_with('/') || file.folder.empty())
    return full_path(std::string{file.name}, folder);
  return full_path(std::string{file.folder} + '/' + std::string{file.name}, folder);
}

const char* folder_of(Dwarf_Die unit) {
  Dwarf_Attribute attribute;
  return ::dwarf_formstring(::dwarf_attr(&unit, DW_AT_comp_dir, &attribute));
}

std::vector<std::string> read_files(Dwarf_Die unit) {
  std::vector<std::string> result;
  Dwarf_Files* files = nullptr;
  std::size_t count = 0;
  if (::dwarf_getsrcfiles(&unit, &files, &count) != 0) return result;
  const char* const folder = folder_of(unit);
  for (std::size_t i = 0; i < count; ++i) {
    const char* const name = ::dwarf_filesrc(files, i, nullptr, nullptr);
    result.push_back(name != nullptr ? full_path(name, folder) : std::string());
  }
  return result;
}

line_sections find_line_sections(Elf* elf) {
  line_sections found;
  std::size_t names = 0;
  if (::elf_getshdrstrndx(elf, &names) != 0) return found;
  Elf_Scn* section = nullptr;
  while ((section = ::elf_nextscn(elf, section)) != nullptr) {
    GElf_Shdr header;
    if (::gelf_getshdr(section, &header) == nullptr || header.sh_type == SHT_NOBITS) continue;
    const char* const text = ::elf_strptr(elf, names, header.sh_name);
    const std::string_view name = text != nullptr ? text : "";
    if (name == ".debug_line" || name == ".zdebug_line") found.lines = bytes_of(section);
    if (name == ".debug_str" || name == ".zdebug_str") found.strings = bytes_of(section);
    if (name == ".debug_line_str" || name == ".zdebug_line_str")
      found.line_strings = bytes_of(section);
  }
  return found;
}

}  // namespace gmr::symbolize
