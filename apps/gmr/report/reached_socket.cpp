#include "report/reached_socket.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace gmr_command {
namespace {

constexpr int only_its_path = O_PATH | O_CLOEXEC;

// Links that begin with '/' would lead out of that directory otherwise. Before Linux 5.6, or where
// a filter refuses it, they do.
int open_in_root(int root, const std::string& path) noexcept {
  open_how how{};
  how.flags = only_its_path;
  how.resolve = RESOLVE_IN_ROOT;
  const auto opened =
      static_cast<int>(::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how));
  if (opened >= 0 || (errno != ENOSYS && errno != EPERM)) return opened;
  return ::openat(root, ('.' + path).c_str(), only_its_path);
}

int open_path(const std::string& path, const address_origin& origin) {
  const bool is_absolute = path.starts_with('/');
  if (!origin.process || (!is_absolute && !origin.is_told))
    return ::open(path.c_str(), only_its_path);
  const std::string in_proc = "/proc/" + std::to_string(*origin.process);
  const std::string directory = in_proc + (is_absolute ? "/root" : "/cwd");
  const opened_file from{::open(directory.c_str(), only_its_path | O_DIRECTORY)};
  if (!from.is_open()) return -1;
  return is_absolute ? open_in_root(from.number(), path)
                     : ::openat(from.number(), path.c_str(), only_its_path);
}

}  // namespace

reached_socket::reached_socket(const std::string& address, const address_origin& origin) {
  if (address.starts_with('@')) {
    name_ = '\0' + address.substr(1);
    return;
  }
  const int opened = open_path(address, origin);
  if (opened < 0) error_ = errno;
  file_ = opened_file{opened};
  name_ = "/proc/self/fd/" + std::to_string(opened);
}

std::optional<struct stat> reached_socket::status() const {
  struct stat found{};
  if (!file_.is_open() || ::fstat(file_.number(), &found) != 0) return std::nullopt;
  return found;
}

}  // namespace gmr_command
