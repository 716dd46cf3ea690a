// The places where distributions and developers put separate debug files, as gdb searches them.
#include "symbolize/helper/debug_file.hpp"

#include <elfutils/libdwelf.h>
#include <gelf.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <vector>

namespace gmr::symbolize {
namespace {

using unwind::elf_image;

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

elf_image open_checked(const std::string& path, const std::string& id) {
  elf_image found = elf_image::open(path, elf_image::access::map);
  if (found.get() == nullptr || unwind::build_id_of(found.get()) != id) return {};
  return found;
}

elf_image by_build_id(const std::string& id, const std::string& root) {
  if (id.size() < 4) return {};
  return open_checked(root + "/.build-id/" + id.substr(0, 2) + "/" + id.substr(2) + ".debug", id);
}

std::string variable(const char* name) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): only setenv interferes, not for programs with threads
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

// Where debuginfod's client library keeps what it fetched.
elf_image by_debuginfod_cache(const std::string& id) {
  if (id.empty() || variable("DEBUGINFOD_URLS").empty()) return {};
  std::string folder = variable("DEBUGINFOD_CACHE_PATH");
  if (folder.empty()) {
    const std::string caches = variable("XDG_CACHE_HOME");
    folder = (caches.empty() ? variable("HOME") + "/.cache" : caches) + "/debuginfod_client";
  }
  return open_checked(folder + "/" + id + "/debuginfo", id);
}

elf_image by_link(Elf* main, const std::string& path, const std::string& id,
                  const std::string& root) {
  GElf_Word expected = 0;
  const char* const name = ::dwelf_elf_gnu_debuglink(main, &expected);
  if (name == nullptr || std::strchr(name, '/') != nullptr) return {};
  const std::string directory = std::filesystem::path(path).parent_path().string();
  const std::vector<std::string> places{directory + "/" + name, directory + "/.debug/" + name,
                                        root + directory + "/" + name};
  for (const std::string& place : places) {
    elf_image found = elf_image::open(place, elf_image::access::map);
    if (found.get() == nullptr) continue;
    const bool belongs =
        id.empty() ? checksum(found.get()) == expected : unwind::build_id_of(found.get()) == id;
    if (belongs && has_debug_information(found.get())) return found;
  }
  return {};
}

std::vector<std::string> separated(const std::string& roots) {
  std::vector<std::string> result;
  for (std::size_t begin = 0; begin <= roots.size();) {
    const std::size_t end = std::min(roots.find(':', begin), roots.size());
    if (end > begin) result.push_back(roots.substr(begin, end - begin));
    begin = end + 1;
  }
  return result;
}

// The first image that one of the places gives.
template <class Open>
elf_image first_found(const std::string& roots, Open open_in) {
  for (const std::string& root : separated(roots)) {
    elf_image found = open_in(root);
    if (found.get() != nullptr) return found;
  }
  return {};
}

}  // namespace

bool has_debug_information(Elf* elf) {
  return has_section(elf, ".debug_info") || has_section(elf, ".zdebug_info");
}

elf_image find_separate_debug_file(Elf* main, const std::string& path, const std::string& roots) {
  const std::string id = unwind::build_id_of(main);
  elf_image found =
      first_found(roots, [&](const std::string& root) { return by_build_id(id, root); });
  if (found.get() == nullptr)
    found =
        first_found(roots, [&](const std::string& root) { return by_link(main, path, id, root); });
  if (found.get() == nullptr) found = by_debuginfod_cache(id);
  return found;
}

elf_image find_debug_file_by_id(const std::string& build_id, const std::string& roots) {
  elf_image found =
      first_found(roots, [&](const std::string& root) { return by_build_id(build_id, root); });
  if (found.get() == nullptr) found = by_debuginfod_cache(build_id);
  return found;
}

}  // namespace gmr::symbolize
