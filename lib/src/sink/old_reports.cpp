#include "sink/old_reports.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <tuple>
#include <utility>
#include <vector>

#include "os/errors.hpp"
#include "os/files.hpp"
#include "sink/log_file.hpp"

namespace gmr::sinks {
namespace {

struct old_report {
  std::string name;
  std::string stamp;  // the time in its name
  timespec changed{};
  std::uint64_t bytes = 0;
  bool is_newest = false;
};

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool take(std::string_view& rest, std::string_view literal) {
  if (!rest.starts_with(literal)) return false;
  rest.remove_prefix(literal.size());
  return true;
}

// At least one, and exactly `count` unless that is 0.
bool take_digits(std::string_view& rest, std::size_t count = 0) {
  const auto end = std::ranges::find_if_not(rest, is_digit);
  const auto found = static_cast<std::size_t>(end - rest.begin());
  if (found == 0 || (count != 0 && found != count)) return false;
  rest.remove_prefix(found);
  return true;
}

// The time in the name: 20261126T031500Z; empty where the name is not that of a report.
std::string_view stamp_in(std::string_view name, std::string_view begin) {
  std::string_view rest = name;
  if (!take(rest, begin)) return {};
  const char* const first = rest.data();
  if (!take_digits(rest, 8) || !take(rest, "T") || !take_digits(rest, 6) || !take(rest, "Z"))
    return {};
  const std::string_view stamp{first, static_cast<std::size_t>(rest.data() - first)};
  if (!take(rest, "_") || !take_digits(rest) || !take(rest, "_")) return {};
  if (!take(rest, "raw") && !take_digits(rest)) return {};
  if (take(rest, "-") && !take_digits(rest)) return {};
  return rest == ".txt" || rest == ".json" || rest == ".html" ? stamp : std::string_view{};
}

bool is_older(const old_report& one, const old_report& other) {
  return std::tie(one.is_newest, one.stamp, one.changed.tv_sec, one.changed.tv_nsec, one.name) <
         std::tie(other.is_newest, other.stamp, other.changed.tv_sec, other.changed.tv_nsec,
                  other.name);
}

// The newest first.
std::vector<old_report> find_reports(const os::descriptor& folder, std::string_view service,
                                     std::string_view newest, int& error) {
  const std::string begin = beginning_of_name(service);
  std::vector<old_report> found;
  os::directory_names names{folder.number(), "."};
  while (const char* const each = names.next()) {
    const std::string_view name{each};
    const std::string_view stamp = stamp_in(name, begin);
    struct stat status{};
    if (!stamp.empty() && ::fstatat(folder.number(), each, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(status.st_mode) && status.st_uid == ::geteuid())
      found.push_back({.name = std::string{name},
                       .stamp = std::string{stamp},
                       .changed = status.st_mtim,
                       .bytes = static_cast<std::uint64_t>(status.st_size),
                       .is_newest = name == newest});
  }
  error = names.error();
  std::ranges::sort(found, [](const auto& one, const auto& other) { return is_older(other, one); });
  return found;
}

// How many of them, from the first on, stay.
std::size_t count_kept(const std::vector<old_report>& newest_first, const kept_reports& kept) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < newest_first.size(); ++i) {
    sum += newest_first[i].bytes;
    if (newest_first[i].is_newest) continue;
    if ((kept.count != 0 && i >= kept.count) || (kept.bytes != 0 && sum > kept.bytes)) return i;
  }
  return newest_first.size();
}

}  // namespace

bool is_name_of_report(std::string_view name, std::string_view service) {
  return !stamp_in(name, beginning_of_name(service)).empty();
}

std::string remove_old_reports(const std::filesystem::path& directory, std::string_view service,
                               const kept_reports& kept, std::string_view newest) {
  if (kept.count == 0 && kept.bytes == 0) return {};
  const os::descriptor folder{
      os::open_file(AT_FDCWD, directory.c_str(), O_RDONLY | O_DIRECTORY | O_NONBLOCK)};
  int error = folder.is_open() ? 0 : errno;
  if (error == 0) {
    const std::vector<old_report> found = find_reports(folder, service, newest, error);
    for (std::size_t i = count_kept(found, kept); i < found.size(); ++i)
      // Another process of the service may have been faster.
      if (::unlinkat(folder.number(), found[i].name.c_str(), 0) != 0 && errno != ENOENT)
        error = errno;
  }
  if (error == 0) return {};
  return "old reports in " + directory.string() + " could not be removed: " + os::error_text(error);
}

}  // namespace gmr::sinks
