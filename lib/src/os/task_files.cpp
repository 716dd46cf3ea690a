#include "os/task_files.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <utility>

#include "os/errors.hpp"
#include "os/own_proc.hpp"
#include "os/restarted_call.hpp"
#include "os/task_stat.hpp"

namespace gmr::os {
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

// The last of a thread's numbers, by its status: one for each PID namespace, ours the innermost.
pid_t innermost_number(std::string_view status) noexcept {
  std::string_view all = field(status, "\nNSpid:");
  pid_t id = 0;
  for (std::size_t left = 0; all.size() != left;) {
    left = all.size();
    all = take_number(all, id);
  }
  return id;
}

std::optional<blocked_syscall> parse_blocked_syscall(std::string_view text) noexcept {
  if (text.empty() || text.starts_with("running")) return std::nullopt;
  blocked_syscall result;
  text = take_number(text, result.number);
  if (result.number >= 0)
    for (std::uint64_t& argument : result.arguments)
      text = take_number(text, argument, 16);
  text = take_number(text, result.sp, 16);
  take_number(text, result.pc, 16);
  if (result.number == SYS_restart_syscall) result.number = find_restarted_call(result);
  return result;
}

}  // namespace

task_files::task_files() : numbers_differ_(!proc_numbers_are_ours()) {
  open_directory();
}

void task_files::open_directory() noexcept {
  directory_ = descriptor{
      open_file(AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY, open_time::lasting)};
}

// Returns 0 or an errno.
int task_files::read_directory(std::vector<pid_t>& numbers) {
  const auto read = [&](int directory, const char* path) {
    directory_names names{directory, path};
    while (const char* const name = names.next()) {
      pid_t number = 0;
      take_number(name, number);
      if (number > 0) numbers.push_back(number);
    }
    return names.error();
  };
  const int kept = directory_.number();
  if (kept < 0) open_directory();  // the program has closed it
  const int error = read(AT_FDCWD, "/proc/self/task");
  if (error == 0 || kept < 0) return error;
  return read(kept, ".") == 0 ? 0 : error;
}

std::vector<pid_t> task_files::list() {
  std::vector<pid_t> ids;
  list_problem_.clear();
  numbers_differ_ = !proc_numbers_are_ours();
  const int error = read_directory(ids);
  if (error == 0) {
    if (numbers_differ_) translate(ids);
    std::sort(ids.begin(), ids.end());
    return ids;
  }
  constexpr std::chrono::milliseconds most_time{500};
  const std::optional<task_stat> stat = read_own_stat();
  found_threads found =
      search_threads(stat ? static_cast<std::size_t>(stat->threads) : 0, most_time);
  if (!found.all) list_problem_ = "/proc/self/task: " + error_text(error);
  return std::move(found.ids);
}

// From numbers in /proc to those that this process knows: the status of a thread has both.
void task_files::translate(std::vector<pid_t>& numbers) {
  ids_.clear();
  for (const pid_t number : numbers) {
    const pid_t id = innermost_number(read_by_number(number, "status"));
    if (id > 0) ids_.emplace_back(id, number);
  }
  std::sort(ids_.begin(), ids_.end());
  numbers.clear();
  for (const auto& [id, number] : ids_)
    numbers.push_back(id);
}

std::optional<pid_t> task_files::number_in_proc(pid_t id) {
  if (!numbers_differ_) return id;
  const auto find = [&] { return std::lower_bound(ids_.begin(), ids_.end(), std::pair{id, 0}); };
  auto found = find();
  if ((found == ids_.end() || found->first != id) && ids_.empty()) {
    std::vector<pid_t> numbers;
    read_directory(numbers);
    translate(numbers);
    found = find();
  }
  if (found == ids_.end() || found->first != id) return std::nullopt;
  return found->second;
}

// By their numbers in /proc.
listed_threads task_files::list_numbers(std::span<numbered_thread> out) noexcept {
  struct entry_head {
    std::uint64_t inode;
    std::int64_t next;
    std::uint16_t size;
    std::uint8_t type;
  };
  constexpr std::size_t name_at = 19;
  listed_threads found;
  const int listed = open_file(AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY);
  if (listed < 0) return {.error = errno};
  for (;;) {
    const long got = ::syscall(SYS_getdents64, listed, buffer_.data(), buffer_.size());
    if (got < 0) found.error = errno;
    if (got <= 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      entry_head head{};
      std::memcpy(&head, buffer_.data() + at, name_at);
      pid_t number = 0;
      take_number(std::string_view{buffer_.data() + at + name_at}, number);
      at += head.size;
      if (number <= 0) continue;
      found.has_more = found.count == out.size();
      if (!found.has_more) out[found.count++] = {.id = number, .in_proc = number};
    }
    if (found.has_more) break;
  }
  close_file(listed);
  return found;
}

listed_threads task_files::list_into(std::span<numbered_thread> out) noexcept {
  listed_threads found = list_numbers(out);
  if (proc_numbers_are_ours()) return found;
  const std::span numbers = out.first(found.count);
  found.count = 0;
  for (numbered_thread each : numbers) {
    each.id = innermost_number(read(each, "status"));
    if (each.id > 0) out[found.count++] = each;
  }
  return found;
}

bool task_files::status_into(const numbered_thread& of, bare_status& out) noexcept {
  out = {};
  std::string_view text = read(of, "status");
  if (text.empty()) return false;
  const std::string_view state = field(text, "\nState:");
  if (!state.empty()) out.state = state.front();
  take_number(field(text, "\nTracerPid:"), out.tracer);
  take_number(field(text, "\nSigBlk:"), out.blocked_signals, 16);
  take_number(field(text, "\nVmStk:"), out.stack_kib);
  text = read(of, "comm");
  out.name_size = text.substr(0, text.find('\n')).copy(out.name.data(), out.name.size());
  return true;
}

std::string_view task_files::read(pid_t id, const char* file) {
  const std::optional<pid_t> number = number_in_proc(id);
  if (number) return read_by_number(*number, file);
  error_ = ESRCH;
  return {};
}

std::string_view task_files::read(const numbered_thread& of, const char* file) noexcept {
  if (directory_.number() < 0) open_directory();
  return read_by_number(of.in_proc, file);
}

// Where the directory could not be kept open, by the whole path.
std::string_view task_files::read_by_number(pid_t number, const char* file) noexcept {
  constexpr std::string_view folder = "/proc/self/task/";
  constexpr std::size_t most_digits = 16;
  std::array<char, 64> path{};
  folder.copy(path.data(), folder.size());
  char* const begin = path.data() + folder.size();
  char* const end = std::to_chars(begin, begin + most_digits, number).ptr;
  *end = '/';
  std::string_view{file}.copy(end + 1, path.size() - folder.size() - most_digits - 2);
  const int directory = directory_.number_unchecked();
  const int opened = directory >= 0 ? open_file(directory, begin, O_RDONLY)
                                    : open_file(AT_FDCWD, path.data(), O_RDONLY);
  if (opened < 0) {
    error_ = errno;
    return {};
  }
  const ssize_t got = ::read(opened, buffer_.data(), buffer_.size());
  error_ = got < 0 ? errno : 0;
  close_file(opened);
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
  std::optional<task_stat> stat = parse_task_stat(read(id, "stat"));
  if (!stat) return std::nullopt;
  task_times result;
  result.name = std::move(stat->name);
  result.state = stat->state;
  result.blocks_signals = stat->blocked != 0;
  result.user_seconds = static_cast<double>(stat->user_ticks) / ticks_a_second();
  result.system_seconds = static_cast<double>(stat->system_ticks) / ticks_a_second();
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
  return parse_blocked_syscall(read(id, "syscall"));
}

std::optional<blocked_syscall> task_files::blocked_in(const numbered_thread& of) noexcept {
  return parse_blocked_syscall(read(of, "syscall"));
}

std::string task_files::wait_channel(pid_t id) {
  const std::string_view text = read(id, "wchan");
  return text == "0" ? std::string{} : std::string{text};
}

}  // namespace gmr::os
