// What /proc/self/task tells about a thread. Each read is a few system calls: ask for what is
// needed.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "capture/snapshot.hpp"

namespace gmr::capture {

struct task_status {
  char state = '?';
  pid_t tracer = 0;
  std::uint64_t blocked_signals = 0;  // bit n - 1 for signal n
  std::uint64_t pending_signals = 0;  // sent to this very thread
  std::uint64_t pauses = 0;           // times that it gave up its CPU to wait for something
  std::string name;
};

struct task_times {
  std::string name;
  char state = '?';
  double user_seconds = 0;
  double system_seconds = 0;
  bool blocks_signals = false;  // any but real-time ones, of which nothing is said
};

// An open /proc/self/task. Other members return nothing when the thread has gone or /proc can't be
// read. Not synchronised.
class task_files final {
 public:
  task_files();  // never throws: without /proc there are no threads
  ~task_files();
  task_files(const task_files&) = delete;
  task_files& operator=(const task_files&) = delete;

  // Sorted. Throws std::system_error where it can't be read.
  [[nodiscard]] std::vector<pid_t> list();

  [[nodiscard]] std::optional<task_status> status(pid_t id);
  [[nodiscard]] std::optional<task_times> times(pid_t id);  // in two thirds of the time
  [[nodiscard]] std::optional<double> waiting_seconds(pid_t id);
  // Nothing, too, while the thread runs. Its `number` is -1 when it is not in a system call.
  [[nodiscard]] std::optional<blocked_syscall> blocked_in(pid_t id);
  [[nodiscard]] std::string wait_channel(pid_t id);

 private:
  std::string_view read(pid_t id, const char* file);

  int directory_ = -1;
  std::array<char, 8192> buffer_;
};

// CPU time that a thread of this process has used, in ns; 0 when it has gone. Unchanged between two
// calls means that the thread has not run in between.
[[nodiscard]] std::uint64_t cpu_clock(pid_t id) noexcept;

}  // namespace gmr::capture
