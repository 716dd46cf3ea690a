#include "sink/log_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "os/errors.hpp"
#include "os/files.hpp"
#include "sink/write_signals.hpp"
#include "text/times.hpp"

namespace gmr::sinks {
namespace {

constexpr int most_attempts = 100;  // names to try when others are taken

std::string reason(const std::string& path, int error) {
  return path + ": " + os::error_text(error);
}

std::string stem(const file_name& name) {
  return beginning_of_name(name.service) + texts::utc_stamp(name.time) + "_" +
         std::to_string(::getpid()) + "_" + std::to_string(name.number);
}

// "name.txt", then "name-2.txt", ...
std::string nth(const std::string& begin, int attempt, const std::string& end) {
  return begin + (attempt == 1 ? "" : "-" + std::to_string(attempt)) + end;
}

// Returns 0 or an errno.
int write_all(const os::descriptor& file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.number(), bytes.data(), bytes.size());
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

std::string beginning_of_name(std::string_view service) {
  return safe_name(service) + "_gurumeditation_";
}

log_file_result write_log_file(const std::filesystem::path& directory, const file_name& name,
                               std::string_view bytes) {
  const write_signals guard;
  const os::descriptor folder{
      os::open_file(AT_FDCWD, directory.c_str(), O_RDONLY | O_DIRECTORY | O_NONBLOCK)};
  if (!folder.is_open()) return {{}, reason(directory.string(), errno)};

  const std::string begin = stem(name);
  std::string partial;
  int number = -1;
  for (int attempt = 1; attempt <= most_attempts && number < 0; ++attempt) {
    partial = nth("." + begin, attempt, ".partial");
    number =
        os::open_file(folder.number(), partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
                      os::open_time::brief, S_IRUSR | S_IWUSR);
    if (number < 0 && errno != EEXIST) break;
  }
  if (number < 0) return {{}, reason((directory / partial).string(), errno)};

  os::descriptor file{number};
  ::fchmod(number, S_IRUSR | S_IWUSR);  // whatever the umask is
  int error = write_all(file, bytes);
  const int error_of_close = file.close();
  if (error == 0) error = error_of_close;

  std::string final_name;
  for (int attempt = 1; error == 0 && attempt <= most_attempts; ++attempt) {
    final_name = nth(begin, attempt, "." + name.extension);
    const int taken = give_name(folder.number(), partial, final_name);
    if (taken == 0) return {directory / final_name, {}};
    if (taken != EEXIST || attempt == most_attempts) error = taken;
  }
  ::unlinkat(folder.number(), partial.c_str(), 0);
  return {{}, reason((directory / (begin + "." + name.extension)).string(), error)};
}

}  // namespace gmr::sinks
