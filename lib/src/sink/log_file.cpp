#include "sink/log_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <string>
#include <system_error>
#include <utility>

#include "sink/write_signals.hpp"

namespace gmr::sinks {
namespace {

constexpr int most_attempts = 100;  // names to try when others are taken

class descriptor final {
 public:
  explicit descriptor(int number) noexcept : number_(number) {}
  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  [[nodiscard]] int get() const noexcept { return number_; }
  // Some file systems tell only now that the disk is full.
  [[nodiscard]] bool close() noexcept {
    return ::close(std::exchange(number_, -1)) == 0 || errno == EINTR;
  }

 private:
  int number_;
};

std::string reason(const std::string& path, int error) {
  return path + ": " + std::generic_category().message(error);
}

// What can stand in a file name on any system and needs no quoting in a shell.
std::string safe_name(std::string_view service) {
  constexpr std::size_t longest = 64;
  std::string out;
  for (const char c : service.substr(0, longest)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    out += plain ? c : '_';
  }
  if (out.empty()) out = "service";
  if (out.front() == '.' || out.front() == '-') out.front() = '_';
  return out;
}

std::string utc(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> buffer{};
  return {buffer.data(), std::strftime(buffer.data(), buffer.size(), "%Y%m%dT%H%M%SZ", &parts)};
}

std::string stem(const file_name& name) {
  return safe_name(name.service) + "_gurumeditation_" + utc(name.time) + "_" +
         std::to_string(::getpid()) + "_" + std::to_string(name.number);
}

// "name.txt", then "name-2.txt", ...
std::string nth(const std::string& begin, int attempt, const std::string& end) {
  return begin + (attempt == 1 ? "" : "-" + std::to_string(attempt)) + end;
}

// Returns 0 or an errno.
int write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written == 0 ? EIO : errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

// Gives the finished file its name unless the name is taken. Returns 0 or an errno.
int give_name(int directory, const std::string& partial, const std::string& name) {
  if (::renameat2(directory, partial.c_str(), directory, name.c_str(), RENAME_NOREPLACE) == 0)
    return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // The file system doesn't know that flag.
  if (::linkat(directory, partial.c_str(), directory, name.c_str(), 0) != 0) return errno;
  ::unlinkat(directory, partial.c_str(), 0);
  return 0;
}

}  // namespace

log_file_result write_log_file(const std::filesystem::path& directory, const file_name& name,
                               std::string_view bytes) {
  const write_signals guard;
  const descriptor folder{
      ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK)};
  if (folder.get() < 0) return {{}, reason(directory.string(), errno)};

  const std::string begin = stem(name);
  std::string partial;
  int number = -1;
  for (int attempt = 1; attempt <= most_attempts && number < 0; ++attempt) {
    partial = nth("." + begin, attempt, ".partial");
    number = ::openat(folder.get(), partial.c_str(),
                      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (number < 0 && errno != EEXIST) break;
  }
  if (number < 0) return {{}, reason((directory / partial).string(), errno)};

  descriptor file{number};
  ::fchmod(number, S_IRUSR | S_IWUSR);  // whatever the umask is
  int error = write_all(number, bytes);
  if (!file.close() && error == 0) error = errno;

  std::string final_name;
  for (int attempt = 1; error == 0 && attempt <= most_attempts; ++attempt) {
    final_name = nth(begin, attempt, "." + name.extension);
    const int taken = give_name(folder.get(), partial, final_name);
    if (taken == 0) return {directory / final_name, {}};
    if (taken != EEXIST || attempt == most_attempts) error = taken;
  }
  ::unlinkat(folder.get(), partial.c_str(), 0);
  return {{}, reason((directory / (begin + "." + name.extension)).string(), error)};
}

}  // namespace gmr::sinks
