#include "report/written_report.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <thread>

#include "report/report_among.hpp"

namespace gmr_command {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds pause_between_looks{20};

// "/dev/pts/3", "socket:[123]"
std::string target_of(const std::string& link) {
  std::error_code error;
  const fs::path target = fs::read_symlink(link, error);
  return error ? std::string{} : target.string();
}

// Of a regular file. Another user may write to the directory: a link there may lead to a file that
// is none of his, a pipe would be waited for.
std::optional<std::string> content_of(const std::string& path) {
  const opened_file file{::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  struct stat status{};
  if (!file.is_open() || ::fstat(file.number(), &status) != 0 || !S_ISREG(status.st_mode))
    return std::nullopt;
  std::string content;
  std::array<char, 65536> some;
  for (;;) {
    const ssize_t count = ::read(file.number(), some.data(), some.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::nullopt;
    if (count == 0) return content;
    content.append(some.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace

written_report::written_report(const process& of, const gmr::os::announcement& told)
    : process_(of) {
  if (told.has_other_log_dir)
    place_ = "its log_dir, whose name is too long for what the process says of itself";
  else if (told.log_dir.empty())
    look_at_standard_error();
  else
    look_at_directory(told.log_dir);
}

void written_report::look_at_directory(const std::string& log_dir) {
  place_ = log_dir;
  const std::string base = log_dir.starts_with('/') ? "root" : "cwd/";
  const std::string directory = process_.in_proc(base) + log_dir;
  if (::access(directory.c_str(), R_OK | X_OK) != 0) return;
  log_dir_ = directory;
  part_of_name_ = '_' + std::to_string(process_.own_id()) + '_';
  known_ = files();
}

// Opened by the link itself, which also leads to a file that has been renamed or removed.
void written_report::look_at_standard_error() {
  const std::string link = process_.in_proc("fd/2");
  const std::string target = target_of(link);
  place_ = "standard error of process " + std::to_string(process_.id()) +
           (target.empty() ? "" : ", " + target);
  if (target.starts_with("socket:"))
    place_ +=
        "; in a unit of systemd that is the journal: "
        "journalctl _PID=" +
        std::to_string(process_.id());
  struct stat status{};
  if (::stat(link.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  standard_error_ = opened_file{::open(link.c_str(), O_RDONLY | O_CLOEXEC)};
  ::lseek(standard_error_.number(), 0, SEEK_END);
}

// Those of the process's reports. Names that begin with a dot are not complete yet.
std::set<std::string> written_report::files() const {
  std::set<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at{*log_dir_, error}, end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with('.') && name.find("_gurumeditation_") != name.npos &&
        name.find(part_of_name_) != name.npos)
      names.insert(name);
  }
  return names;
}

std::optional<std::string> written_report::new_file() {
  std::set<std::string> there = files();
  std::erase_if(there, [this](const std::string& name) { return known_.contains(name); });
  if (there.empty()) return std::nullopt;
  for (const std::string& name : there)
    if (std::optional<std::string> content = content_of(*log_dir_ + '/' + name)) return content;
  return std::nullopt;
}

std::optional<std::string> written_report::new_text() {
  constexpr std::chrono::milliseconds quiet{500};
  const auto now = std::chrono::steady_clock::now();
  std::array<char, 65536> some;
  for (;;) {
    const ssize_t count = ::read(standard_error_.number(), some.data(), some.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return report_among(text_, process_.own_id(), now - last_text_ >= quiet);
    last_text_ = now;
    text_.append(some.data(), static_cast<std::size_t>(count));
  }
}

std::optional<std::string> written_report::wait(std::chrono::steady_clock::time_point until) {
  for (;;) {
    const bool is_alive = process_.is_alive();
    std::optional<std::string> found = log_dir_ ? new_file() : new_text();
    if (found || !is_alive || std::chrono::steady_clock::now() >= until) return found;
    std::this_thread::sleep_for(pause_between_looks);
  }
}

}  // namespace gmr_command
