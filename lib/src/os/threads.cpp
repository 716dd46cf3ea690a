#include "os/threads.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>

#include "os/file_text.hpp"
#include "os/files.hpp"

namespace gmr::os {
namespace {

// Not what the call says of a thread, but of itself: a filter's answer.
bool is_filters_answer(int error) noexcept {
  return error == EPERM || error == ENOSYS || error == EACCES;
}

// The kernel's encoding of the scheduler clock of one thread.
clockid_t clock_of(pid_t id) noexcept {
  constexpr unsigned per_thread_scheduler_clock = 6;
  return static_cast<clockid_t>(~static_cast<unsigned>(id) << 3U | per_thread_scheduler_clock);
}

std::uint64_t nanoseconds_by_file(pid_t id) noexcept {
  constexpr std::string_view folder = "/proc/self/task/";
  constexpr std::string_view file = "/schedstat";
  constexpr std::size_t most_digits = 16;
  std::array<char, folder.size() + most_digits + file.size() + 1> path{};
  folder.copy(path.data(), folder.size());
  char* const begin = path.data() + folder.size();
  file.copy(std::to_chars(begin, begin + most_digits, id).ptr, file.size());
  const int opened = open_file(AT_FDCWD, path.data(), O_RDONLY);
  if (opened < 0) return 0;
  std::array<char, 64> text;
  const ssize_t got = ::read(opened, text.data(), text.size());
  close_file(opened);
  std::uint64_t used = 0;
  if (got > 0) std::from_chars(text.data(), text.data() + got, used);
  return used;
}

pid_t largest_number() {
  constexpr pid_t most = 1 << 22;
  const file_text text = read_file("/proc/sys/kernel/pid_max");
  pid_t largest = most;
  std::from_chars(text.content.data(), text.content.data() + text.content.size(), largest);
  return std::clamp(largest, 1 << 10, most);
}

enum class presence { there, not_there, not_told };

presence find_presence(pid_t id) noexcept {
  using enum presence;
  if (::syscall(SYS_tgkill, ::getpid(), id, 0) == 0) return there;
  if (!is_filters_answer(errno)) return errno != ESRCH ? there : not_there;
  timespec time{};
  if (::clock_gettime(clock_of(id), &time) == 0) return there;
  return is_filters_answer(errno) ? not_told : not_there;
}

// What is known without asking.
std::vector<pid_t> known_threads() {
  std::vector<pid_t> ids{::getpid()};
  if (const pid_t self = ::gettid(); self != ids.front()) ids.push_back(self);
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace

bool thread_exists(pid_t id) noexcept {
  return find_presence(id) != presence::not_there;
}

std::uint64_t cpu_clock(pid_t id) noexcept {
  timespec time{};
  if (::clock_gettime(clock_of(id), &time) == 0) {
    constexpr std::uint64_t second = 1'000'000'000;
    return static_cast<std::uint64_t>(time.tv_sec) * second +
           static_cast<std::uint64_t>(time.tv_nsec);
  }
  return is_filters_answer(errno) ? nanoseconds_by_file(id) : 0;
}

found_threads search_threads(std::size_t count, std::chrono::milliseconds most) {
  found_threads found;
  const pid_t process = ::getpid();
  if (find_presence(process) == presence::not_told) {  // any number would seem to be there
    found.ids = known_threads();
    return found;
  }
  const auto end = std::chrono::steady_clock::now() + most;
  const auto look = [&](pid_t first, pid_t last) {
    constexpr pid_t between_looks_at_the_clock = 1024;
    for (pid_t id = first; id < last && (count == 0 || found.ids.size() < count); ++id) {
      if (thread_exists(id)) found.ids.push_back(id);
      if (id % between_looks_at_the_clock == 0 && std::chrono::steady_clock::now() >= end) return;
    }
  };
  look(process, largest_number() + 1);
  look(1, process);
  std::sort(found.ids.begin(), found.ids.end());
  found.all = count != 0 && found.ids.size() >= count;
  return found;
}

}  // namespace gmr::os
