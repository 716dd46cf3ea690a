#include "facts/resident_bytes.hpp"

#include <unistd.h>

#include <charconv>
#include <string_view>

#include "os/file_text.hpp"
#include "text/lines.hpp"

namespace gmr {

std::uint64_t resident_bytes() {
  const os::file_text sizes = os::read_file("/proc/self/statm");
  std::string_view rest = sizes.content;
  static_cast<void>(texts::take_until(rest, ' '));  // the size of the address space
  const std::string_view pages = texts::take_until(rest, ' ');
  std::uint64_t count = 0;
  std::from_chars(pages.data(), pages.data() + pages.size(), count);
  return count * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace gmr
