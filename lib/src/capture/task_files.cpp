#include "capture/task_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <system_error>

#include "capture/spare_descriptors.hpp"

namespace gmr::capture {
namespace {

template <class Number>
std::string_view take_number(std::string_view text, Number& number, int base = 10) noexcept {
  const auto begin = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(begin);
  if (base == 16 && text.starts_with("0x")) text.remove_prefix(2);
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number, base);
  text.remove_prefix(static_cast<std::size_t>(result.ptr - text.data()));
  return text;
}

// The text after "KEY:\t" at the start of a line.
std::string_view field(std::string_view text, std::string_view key) noexcept {
  const auto at = text.find(key);
  if (at == std::string_view::npos) return {};
  const auto begin = text.find_first_not_of(" \t", at + key.size());
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find('\n', begin) - begin);
}

}  // namespace

task_files::task_files()
    : directory_(open_file(AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY)) {}

task_files::~task_files() {
  if (directory_ >= 0) close_file(directory_);
}

std::vector<pid_t> task_files::list() {
  std::vector<pid_t> ids;
  const int descriptor = open_file(directory_, ".", O_RDONLY | O_DIRECTORY);
  DIR* const directory = descriptor < 0 ? nullptr : fdopendir(descriptor);
  if (directory == nullptr) {
    const std::error_code problem{errno, std::generic_category()};
    if (descriptor >= 0) close_file(descriptor);
    throw std::system_error(problem, "/proc/self/task");
  }
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is this function's own
  while (const dirent* entry = readdir(directory)) {
    pid_t id = 0;
    take_number(std::string_view{entry->d_name}, id);
    if (id > 0) ids.push_back(id);
  }
  closedir(directory);
  keep_spare_descriptors();
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::string_view task_files::read(pid_t id, const char* file) {
  std::array<char, 64> path;
  std::snprintf(path.data(), path.size(), "%d/%s", id, file);
  const int descriptor = open_file(directory_, path.data(), O_RDONLY);
  if (descriptor < 0) return {};
  const ssize_t got = ::read(descriptor, buffer_.data(), buffer_.size());
  close_file(descriptor);
  return {buffer_.data(), got < 0 ? 0 : static_cast<std::size_t>(got)};
}

std::optional<task_status> task_files::status(pid_t id) {
  const std::string_view text = read(id, "status");
  if (text.empty()) return std::nullopt;
  task_status result;
  result.name = field(text, "Name:");
  const std::string_view state = field(text, "\nState:");
  if (!state.empty()) result.state = state.front();
  take_number(field(text, "\nTracerPid:"), result.tracer);
  take_number(field(text, "\nSigBlk:"), result.blocked_signals, 16);
  take_number(field(text, "\nSigPnd:"), result.pending_signals, 16);
  take_number(field(text, "\nvoluntary_ctxt_switches:"), result.pauses);
  if (result.name.find('\\') != std::string::npos) {  // escaped there, plain here
    const std::string_view plain = read(id, "comm");
    if (!plain.empty()) result.name = plain.substr(0, plain.size() - 1);
  }
  return result;
}

std::optional<task_times> task_files::times(pid_t id) {
  std::string_view text = read(id, "stat");
  const auto name_end = text.rfind(") ");  // a name may hold anything
  if (name_end == std::string_view::npos) return std::nullopt;
  task_times result;
  const auto name_begin = text.find('(') + 1;
  result.name = text.substr(name_begin, name_end - name_begin);
  text.remove_prefix(name_end + 2);
  result.state = text.front();
  text.remove_prefix(1);
  const auto skip = [&text](int fields) {
    for (std::uint64_t skipped = 0; fields > 0; --fields) {
      const auto begin = std::min(text.find_first_not_of(" -"), text.size());
      text = take_number(text.substr(begin), skipped);
    }
  };
  constexpr int ppid_to_cmajflt = 10;
  constexpr int cutime_to_pending = 16;
  std::uint64_t user = 0;
  std::uint64_t system = 0;
  std::uint64_t blocked = 0;
  skip(ppid_to_cmajflt);
  text = take_number(text, user);
  text = take_number(text, system);
  skip(cutime_to_pending);
  take_number(text, blocked);
  result.blocks_signals = blocked != 0;
  static const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  result.user_seconds = static_cast<double>(user) / ticks;
  result.system_seconds = static_cast<double>(system) / ticks;
  return result;
}

std::optional<double> task_files::waiting_seconds(pid_t id) {
  const std::string_view text = read(id, "schedstat");
  if (text.empty()) return std::nullopt;
  std::uint64_t running = 0;
  std::uint64_t waiting = 0;
  take_number(take_number(text, running), waiting);
  return static_cast<double>(waiting) * 1e-9;
}

std::optional<blocked_syscall> task_files::blocked_in(pid_t id) {
  std::string_view text = read(id, "syscall");
  if (text.empty() || text.starts_with("running")) return std::nullopt;
  blocked_syscall result;
  text = take_number(text, result.number);
  if (result.number >= 0)
    for (std::uint64_t& argument : result.arguments)
      text = take_number(text, argument, 16);
  text = take_number(text, result.sp, 16);
  take_number(text, result.pc, 16);
  return result;
}

std::string task_files::wait_channel(pid_t id) {
  const std::string_view text = read(id, "wchan");
  return text == "0" ? std::string{} : std::string{text};
}

std::uint64_t cpu_clock(pid_t id) noexcept {
  // The kernel's encoding of the scheduler clock of one thread.
  constexpr unsigned per_thread_scheduler_clock = 6;
  const auto clock =
      static_cast<clockid_t>(~static_cast<unsigned>(id) << 3U | per_thread_scheduler_clock);
  timespec time{};
  if (clock_gettime(clock, &time) != 0) return 0;
  constexpr std::uint64_t second = 1'000'000'000;
  return static_cast<std::uint64_t>(time.tv_sec) * second +
         static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace gmr::capture
