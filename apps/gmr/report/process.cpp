#include "report/process.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <system_error>
#include <utility>

#include "exit_codes.hpp"

namespace gmr_command {

opened_file::~opened_file() {
  if (number_ >= 0) ::close(number_);
}

opened_file::opened_file(opened_file&& other) noexcept
    : number_(std::exchange(other.number_, -1)) {}

opened_file& opened_file::operator=(opened_file&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

told_announcement announcement_of(pid_t id) {
  errno = 0;
  std::ifstream maps("/proc/" + std::to_string(id) + "/maps");
  for (std::string line; std::getline(maps, line);)
    if (auto found = gmr::os::parse_announcement(line)) return {.content = found, .error = 0};
  // A process that may not be looked at has a file that opens, or not, and says nothing.
  return {.content = {}, .error = maps.eof() && !maps.bad() ? 0 : errno};
}

process::process(pid_t id) : id_(id), file_(static_cast<int>(::syscall(SYS_pidfd_open, id, 0))) {
  if (file_.is_open()) return;
  const int error = errno;
  if (error == ESRCH || error == EINVAL)
    throw failure{exit_unavailable, "there is no process " + std::to_string(id)};
  throw failure{exit_unavailable,
                "process " + std::to_string(id) + ": " + std::generic_category().message(error)};
}

bool process::is_alive() const noexcept {
  pollfd ended{.fd = file_.number(), .events = POLLIN, .revents = 0};
  return ::poll(&ended, 1, 0) == 0;
}

std::string process::in_proc(const std::string& name) const {
  return "/proc/" + std::to_string(id_) + '/' + name;
}

std::optional<std::string> process::status_field(const std::string& name) const {
  std::ifstream status(in_proc("status"));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":")) return line.substr(name.size() + 1);
  return std::nullopt;
}

// The numbers from the outermost namespace to its own.
pid_t process::own_id() const {
  const std::string all = status_field("NSpid").value_or(std::to_string(id_));
  return static_cast<pid_t>(std::atoi(all.substr(all.find_last_of("\t ") + 1).c_str()));
}

bool process::catches(int signal) const {
  const std::optional<std::string> caught = status_field("SigCgt");
  if (!caught || signal < 1 || signal > 64) return false;
  return (std::strtoull(caught->c_str(), nullptr, 16) >> (signal - 1) & 1U) != 0;
}

void process::send(int signal) const {
  if (::syscall(SYS_pidfd_send_signal, file_.number(), signal, nullptr, 0) == 0) return;
  const int error = errno;
  throw failure{error == EPERM ? exit_not_permitted : exit_unavailable,
                "process " + std::to_string(id_) +
                    " can't be sent the signal: " + std::generic_category().message(error)};
}

}  // namespace gmr_command
