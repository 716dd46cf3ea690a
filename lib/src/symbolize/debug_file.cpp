// The places where distributions and developers put separate debug files, as gdb searches them.
#include "symbolize/debug_file.hpp"

#include <elfutils/libdwelf.h>
#include <gelf.h>

#include <boost/crc.hpp>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <vector>

namespace gmr::symbolize {
namespace {

using unwind::elf_image;

constexpr std::string_view debug_root = "/usr/lib/debug";

bool has_section(Elf* elf, std::string_view wanted) {
  std::size_t names = 0;
  if (::elf_getshdrstrndx(elf, &names) != 0) return false;
  Elf_Scn* section = nullptr;
  while ((section = ::elf_nextscn(elf, section)) != nullptr) {
    GElf_Shdr header;
    if (::gelf_getshdr(section, &header) == nullptr || header.sh_type == SHT_NOBITS) continue;
    const char* const name = ::elf_strptr(elf, names, header.sh_name);
    if (name != nullptr && wanted == name) return true;
  }
  return false;
}

std::uint32_t checksum(Elf* elf) {
  std::size_t size = 0;
  const char* const bytes = ::elf_rawfile(elf, &size);
  boost::crc_32_type crc;
  if (bytes != nullptr) crc.process_bytes(bytes, size);
  return crc.checksum();
}

elf_image by_build_id(const std::string& id) {
  if (id.size() < 4) return {};
  std::string path{debug_root};
  path += "/.build-id/" + id.substr(0, 2) + "/" + id.substr(2) + ".debug";
  elf_image found = elf_image::open(path, elf_image::access::map);
  if (found.get() == nullptr || unwind::build_id_of(found.get()) != id) return {};
  return found;
}

elf_image by_link(Elf* main, const std::string& path, const std::string& id) {
  GElf_Word expected = 0;
  const char* const name = ::dwelf_elf_gnu_debuglink(main, &expected);
  if (name == nullptr || std::strchr(name, '/') != nullptr) return {};
  const std::string directory = std::filesystem::path(path).parent_path().string();
  const std::vector<std::string> places{directory + "/" + name, directory + "/.debug/" + name,
                                        std::string(debug_root) + directory + "/" + name};
  for (const std::string& place : places) {
    elf_image found = elf_image::open(place, elf_image::access::map);
    if (found.get() == nullptr) continue;
    const bool belongs =
        id.empty() ? checksum(found.get()) == expected : unwind::build_id_of(found.get()) == id;
    if (belongs && has_debug_information(found.get())) return found;
  }
  return {};
}

}  // namespace

bool has_debug_information(Elf* elf) {
  return has_section(elf, ".debug_info") || has_section(elf, ".zdebug_info");
}

elf_image find_separate_debug_file(Elf* main, const std::string& path) {
  const std::string id = unwind::build_id_of(main);
  elf_image found = by_build_id(id);
  return found.get() != nullptr ? std::move(found) : by_link(main, path, id);
}

}  // namespace gmr::symbolize
