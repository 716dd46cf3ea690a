#include "reporter/process_facts.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace gmr {

std::uint64_t resident_bytes() noexcept {
  const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  char line[128] = {};
  const ssize_t got = ::read(file, line, sizeof line - 1);
  ::close(file);
  if (got <= 0) return 0;
  char* rest = nullptr;
  std::strtoull(line, &rest, 10);  // the size of the address space comes first
  return std::strtoull(rest, nullptr, 10) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::string executable_build_id(const std::vector<module_info>& modules) {
  std::error_code ignored;
  const std::string self = std::filesystem::read_symlink("/proc/self/exe", ignored).string();
  for (const module_info& each : modules) {
    if (each.path == self) return each.build_id;
  }
  return {};
}

}  // namespace gmr
