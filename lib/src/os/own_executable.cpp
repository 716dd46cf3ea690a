#include "os/own_executable.hpp"

#include <sys/auxv.h>

#include <charconv>
#include <cstddef>
#include <string_view>
#include <utility>

#include "text/lines.hpp"

namespace gmr::os {
namespace {

std::uintptr_t hexadecimal(std::string_view digits) {
  std::uintptr_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return value;
}

}  // namespace

std::string file_mapped_at(std::uintptr_t address) {
  constexpr std::size_t most_bytes = std::size_t{64} << 20;
  const file_text maps = read_file("/proc/self/maps", most_bytes);
  for (std::string_view rest = maps.content; !rest.empty();) {
    std::string_view line = texts::take_line(rest);
    const std::uintptr_t begin = hexadecimal(texts::take_until(line, '-'));
    const std::uintptr_t end = hexadecimal(texts::take_until(line, ' '));
    if (address < begin || address >= end) continue;
    const std::size_t path = line.find('/');
    return path == line.npos ? std::string() : std::string{line.substr(path)};
  }
  return {};
}

file_text path_of_executable() {
  file_text link = read_link("/proc/self/exe");
  // The kernel has loaded no loader for it: it is one, or a static program.
  const bool may_be_loader = ::getauxval(AT_BASE) == 0;
  if (link.ok() && !may_be_loader) return link;
  std::string mapped = file_mapped_at(::getauxval(AT_PHDR));
  if (mapped.empty()) return link;
  return {.content = std::move(mapped)};
}

}  // namespace gmr::os
