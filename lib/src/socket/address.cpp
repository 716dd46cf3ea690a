#include "socket/address.hpp"

#include <unistd.h>

#include <cstdlib>
#include <optional>

#include "os/task_stat.hpp"
#include "sink/log_file.hpp"

namespace gmr::sockets {
namespace {

constexpr std::size_t longest_path = 107;  // of the kernel

// As systemd and login managers set them; the first one may name several directories.
std::string run_time_directory() {
  for (const char* const variable : {"RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"}) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): by who makes the reporter, as getenv elsewhere
    const char* const content = std::getenv(variable);
    if (content == nullptr || *content != '/') continue;
    const std::string_view all{content};
    return std::string{all.substr(0, all.find(':'))};
  }
  return {};
}

}  // namespace

resolved_address resolve_address(const std::string& option, std::string_view service) {
  if (option != "auto") return {.address = option, .problem = {}};
  const std::string directory = run_time_directory();
  if (directory.empty())
    return {.address = {}, .problem = "neither RUNTIME_DIRECTORY nor XDG_RUNTIME_DIR is set"};
  const std::optional<os::task_stat> self = os::read_own_stat();
  const std::string path = directory + '/' + sinks::safe_name(service) + '-' +
                           std::to_string(::getpid()) + '-' +
                           std::to_string(self ? self->start_ticks : 0) + ".sock";
  if (path.size() <= longest_path) return {.address = path, .problem = {}};
  return {.address = {}, .problem = path + " is longer than 107 bytes"};
}

}  // namespace gmr::sockets
