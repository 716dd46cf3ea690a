#include "facts/descriptor_kinds.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <ctime>
#include <map>
#include <string_view>

#include "os/file_text.hpp"
#include "text/lines.hpp"

namespace gmr::facts {
namespace {

std::optional<int> option_of(int descriptor, int option) noexcept {
  int found = 0;
  socklen_t size = sizeof found;
  if (::getsockopt(descriptor, SOL_SOCKET, option, &found, &size) != 0) return std::nullopt;
  return found;
}

// A poll that does not wait asks without a lock. "open" may still be connecting.
std::string_view state_of(int descriptor) noexcept {
  if (option_of(descriptor, SO_ACCEPTCONN) == 1) return " listening";
  pollfd asked{.fd = descriptor, .events = POLLRDHUP, .revents = 0};
  // Of the kernel itself: the service may close it meanwhile, which is no fault, though
  // ThreadSanitizer would take it for one.
  const timespec no_time{};
  if (::syscall(SYS_ppoll, &asked, 1, &no_time, nullptr, 0) < 0) return "";
  if ((asked.revents & POLLHUP) != 0) return " not connected";
  return (asked.revents & POLLRDHUP) != 0 ? " closed by peer" : " open";
}

std::string socket_kind_of(int descriptor, int family) {
  const int type = option_of(descriptor, SO_TYPE).value_or(0);
  std::string kind;
  switch (family) {
    case AF_INET:
    case AF_INET6:
      if (type == SOCK_DGRAM) return "udp";
      if (type != SOCK_STREAM) return "raw ip";
      kind = "tcp";
      break;
    case AF_UNIX:
      if (type == SOCK_DGRAM) return "unix datagram";
      kind = "unix";
      break;
    case AF_NETLINK:
      return "netlink";
    case AF_PACKET:
      return "packet";
    case AF_VSOCK:
      return "vsock";  // a poll takes its lock
    default:
      return "socket of family " + std::to_string(family);
  }
  return kind.append(state_of(descriptor));
}

// By what the link says. A name that ends in " (deleted)" is taken for one that is.
std::string kind_of_link(std::string_view link) {
  constexpr std::string_view anonymous = "anon_inode:";
  if (link.starts_with(anonymous)) {
    link.remove_prefix(anonymous.size());
    if (link.starts_with('[') && link.ends_with(']')) link = link.substr(1, link.size() - 2);
    return std::string{link == "eventpoll" ? "epoll" : link};
  }
  if (link.starts_with("pipe:")) return "pipe";
  if (link.starts_with("socket:")) return "socket";
  if (link.starts_with("/memfd:")) return "memfd";
  if (!link.starts_with('/')) return std::string{texts::take_until(link, ':')};  // "net:[4026]"
  if (link.ends_with(" (deleted)")) return "deleted file";
  if (link.starts_with("/dev/") && !link.starts_with("/dev/shm/")) return "device";
  if (link.starts_with("/proc/") || link.starts_with("/sys/")) return "file of /proc or /sys";
  return "file or directory";
}

class counter final {
 public:
  void look_at(int descriptor) {
    const std::optional<int> family = option_of(descriptor, SO_DOMAIN);
    if (family) return add(socket_kind_of(descriptor, *family));
    // It does not know those that were opened with O_PATH.
    if (errno == EBADF && ::fcntl(descriptor, F_GETFD) < 0) return;
    const os::file_text link = os::read_link("/proc/self/fd/" + std::to_string(descriptor));
    if (link.ok()) return add(kind_of_link(link.content));
    if (::fcntl(descriptor, F_GETFD) < 0) return;  // closed meanwhile
    if (error_ == 0) error_ = link.error;
    add("unknown");
  }

  [[nodiscard]] descriptor_kinds finish(bool is_complete) const {
    descriptor_kinds found;
    found.kinds.assign(counts_.begin(), counts_.end());
    std::ranges::stable_sort(found.kinds, std::ranges::greater{},
                             [](const auto& each) { return each.second; });
    found.looked_at = looked_at_;
    found.is_complete = is_complete;
    found.error = error_;
    return found;
  }

 private:
  void add(const std::string& kind) {
    ++looked_at_;
    ++counts_[kind];
  }

  std::map<std::string, std::uint64_t> counts_;
  std::uint64_t looked_at_ = 0;
  int error_ = 0;
};

}  // namespace

int end_of_descriptors() {
  constexpr std::uint64_t most = 1U << 30U;
  const os::file_text status = os::read_file("/proc/self/status");
  if (const auto size = texts::named_number(status.content, "FDSize"))
    return static_cast<int>(std::min(*size, most));
  constexpr rlim_t usual = 65536;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = usual;
  return static_cast<int>(std::min<std::uint64_t>(limit.rlim_cur, most));
}

descriptor_kinds count_descriptor_kinds(std::chrono::milliseconds longest) {
  using clock = std::chrono::steady_clock;
  constexpr int between_looks = 64;  // at the clock
  const clock::time_point end = clock::now() + longest;
  // Not one after the other: where the time ends, those that were looked at are a fair sample of
  // old and new ones. A prime that is no divisor of their number comes to each of them once.
  constexpr std::int64_t stride = 1'000'003;
  const std::int64_t numbers = end_of_descriptors();
  counter found;
  for (std::int64_t i = 0; i < numbers; ++i) {
    if (i % between_looks == between_looks - 1 && clock::now() >= end) return found.finish(false);
    found.look_at(static_cast<int>(i * stride % numbers));
  }
  return found.finish(true);
}

std::optional<double> number_at(const value& tree, std::string_view name, std::string_view within) {
  if (const auto* const pairs = std::get_if<key_values>(&tree.get())) {
    for (const auto& [key, content] : pairs->entries)
      if (key == name) return within.empty() ? number_at(content, {}) : number_at(content, within);
    return std::nullopt;
  }
  if (!name.empty()) return std::nullopt;
  if (const auto* const number = std::get_if<std::int64_t>(&tree.get()))
    return static_cast<double>(*number);
  if (const auto* const number = std::get_if<std::uint64_t>(&tree.get()))
    return static_cast<double>(*number);
  if (const auto* const number = std::get_if<double>(&tree.get())) return *number;
  return std::nullopt;
}

std::optional<finding> find_descriptors_near_limit(const value& process) {
  constexpr double near = 0.9;
  const auto count = number_at(process, "open_descriptors", "count");
  const auto limit = number_at(process, "open_descriptors", "limit");
  if (!count || !limit || *count < near * *limit) return std::nullopt;
  finding found;
  found.kind = finding_kind::descriptors_near_limit;
  found.text = std::to_string(std::llround(*count)) + " descriptors are open of the " +
               std::to_string(std::llround(*limit)) + " that the process may have";
  return found;
}

}  // namespace gmr::facts
