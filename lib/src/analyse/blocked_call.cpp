#include "analyse/blocked_call.hpp"

#include <sys/syscall.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "analyse/threads.hpp"
#include "text/hex.hpp"

namespace gmr::analyse {
namespace {

struct call_name {
  long number;
  std::string_view name;
};
constexpr call_name names[] = {
#include "system_call_names.inc"
};

struct call_shape {
  std::string_view name;
  std::size_t arguments;
};
// Of the calls that threads block in. /proc shows six registers whatever the call takes.
constexpr call_shape shapes[] = {{"accept", 3},
                                 {"accept4", 4},
                                 {"clock_nanosleep", 4},
                                 {"close", 1},
                                 {"connect", 3},
                                 {"epoll_wait", 4},
                                 {"fcntl", 3},
                                 {"fdatasync", 1},
                                 {"flock", 2},
                                 {"fsync", 1},
                                 {"futex_waitv", 5},
                                 {"io_getevents", 5},
                                 {"ioctl", 3},
                                 {"mprotect", 3},
                                 {"msgrcv", 5},
                                 {"msgsnd", 4},
                                 {"munmap", 2},
                                 {"nanosleep", 2},
                                 {"open", 3},
                                 {"openat", 4},
                                 {"pause", 0},
                                 {"poll", 3},
                                 {"ppoll", 5},
                                 {"pread64", 4},
                                 {"pwrite64", 4},
                                 {"read", 3},
                                 {"readv", 3},
                                 {"recvmmsg", 5},
                                 {"recvmsg", 3},
                                 {"rt_sigsuspend", 2},
                                 {"rt_sigtimedwait", 4},
                                 {"select", 5},
                                 {"semop", 3},
                                 {"semtimedop", 4},
                                 {"sendfile", 4},
                                 {"sendmmsg", 4},
                                 {"sendmsg", 3},
                                 {"vfork", 0},
                                 {"wait4", 4},
                                 {"waitid", 5},
                                 {"write", 3},
                                 {"writev", 3},
                                 {"clone3", 2},
                                 {"clone", 5},
                                 {"restart_syscall", 0}};

std::string name_of_call(long number) {
  const auto found = std::find_if(std::begin(names), std::end(names),
                                  [&](const call_name& each) { return each.number == number; });
  return found != std::end(names) ? std::string{found->name}
                                  : "system call " + std::to_string(number);
}

std::size_t argument_count(std::string_view name) {
  const auto found = std::find_if(std::begin(shapes), std::end(shapes),
                                  [&](const call_shape& each) { return each.name == name; });
  constexpr std::size_t all = 6;
  return found != std::end(shapes) ? found->arguments : all;
}

std::string argument_text(std::uint64_t argument) {
  constexpr std::int64_t lowest = -4096;
  constexpr std::int64_t highest = 1 << 20;
  // What is an int has nothing to say in its upper half: -1 may come as 0xffffffff.
  const auto whole = static_cast<std::int64_t>(argument);
  const auto number =
      argument >> 32U == 0 ? std::int64_t{static_cast<std::int32_t>(argument)} : whole;
  return lowest <= number && number < highest ? std::to_string(number) : texts::hex(argument);
}

}  // namespace

std::string describe_call(const capture::blocked_syscall& call) {
  const std::string name = name_of_call(call.number);
  std::string text = name + '(';
  for (std::size_t i = 0; i < argument_count(name); ++i)
    text += (i > 0 ? ", " : "") + argument_text(call.arguments[i]);
  return text + ')';
}

std::string place_in_kernel(const capture::thread_snapshot& thread) {
  using enum capture_outcome;
  if (thread.outcome == ok || thread.outcome == truncated || thread.outcome == exited) return {};
  std::string text;
  if (thread.syscall && thread.syscall->number >= 0) text = "in " + describe_call(*thread.syscall);
  if (!thread.wait_channel.empty())
    text += (text.empty() ? "wait channel " : "; wait channel ") + thread.wait_channel;
  return text;
}

thread_info describe(const capture::thread_snapshot& thread) {
  thread_info out;
  out.id = thread.id;
  out.name = thread.name;
  out.state = thread.state;
  out.capture = thread.outcome;
  out.note = thread.note;
  if (const std::string place = place_in_kernel(thread); !place.empty())
    out.note += (out.note.empty() ? "" : "; ") + place;
  out.is_reporter = thread.is_reporter;
  out.cpu = thread.cpu;
  if (thread.runs != 0) out.runs = thread.runs;
  return out;
}

}  // namespace gmr::analyse
