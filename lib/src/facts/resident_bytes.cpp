#include "facts/resident_bytes.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <string_view>

#include "os/file_text.hpp"
#include "os/files.hpp"
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

// Since Linux 6.2 the directory has its number of entries as size; before they must be counted.
std::optional<std::uint64_t> count_descriptors() {
  struct stat directory{};
  if (::stat("/proc/self/fd", &directory) == 0 && directory.st_size > 0)
    return static_cast<std::uint64_t>(directory.st_size);
  std::uint64_t count = 0;
  os::directory_names numbers{AT_FDCWD, "/proc/self/fd"};
  while (numbers.next() != nullptr)
    ++count;
  if (numbers.error() != 0) return std::nullopt;
  return count - 1;  // without the one that counts
}

}  // namespace gmr
