// What /proc/self/task tells about a thread. Each read is a few system calls: ask for what is
// needed.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "os/files.hpp"
#include "os/threads.hpp"

namespace gmr::os {

// The system call that a thread is blocked in; what restart_syscall goes on with, where that is
// known.
struct blocked_syscall {
  long number = -1;  // -1: in none
  std::array<std::uint64_t, 6> arguments{};
  std::uintptr_t sp = 0;
  std::uintptr_t pc = 0;
};

struct task_status {
  char state = '?';
  pid_t tracer = 0;
  std::uint64_t blocked_signals = 0;  // bit n - 1 for signal n
  std::uint64_t pending_signals = 0;  // sent to this very thread
  std::uint64_t pauses = 0;           // times that it gave up its CPU to wait for something
  std::string name;
};

// The same as plain data, for the raw report.
struct bare_status {
  char state = '?';
  pid_t tracer = 0;
  std::uint64_t blocked_signals = 0;
  std::uint64_t stack_kib = 0;  // mapped for the main thread's stack
  std::array<char, 16> name{};
  std::size_t name_size = 0;
};

// A thread as system calls of this process know it, and its number in /proc: another where that
// belongs to another PID namespace.
struct numbered_thread {
  pid_t id = 0;
  pid_t in_proc = 0;
};

struct listed_threads {
  std::size_t count = 0;
  bool has_more = false;  // than there was room for
  int error = 0;          // why the directory can't be read; an errno
};

struct task_times {
  std::string name;
  char state = '?';
  double user_seconds = 0;
  double system_seconds = 0;
  bool blocks_signals = false;  // any but real-time ones, of which nothing is said
};

// An open /proc/self/task. Threads have the numbers by which system calls of this process know
// them, also where /proc belongs to another PID namespace. Other members return nothing when the
// thread has gone or /proc can't be read. Not synchronised.
class task_files final {
 public:
  task_files();  // never throws: without /proc there are no files

  // Sorted. Where the directory can't be read, threads are looked for one number after the other.
  [[nodiscard]] std::vector<pid_t> list();
  // Why `list` may not have found all, with the system's word; empty when it has.
  [[nodiscard]] const std::string& list_problem() const noexcept { return list_problem_; }

  [[nodiscard]] std::optional<task_status> status(pid_t id);
  [[nodiscard]] std::optional<task_times> times(pid_t id);  // in two thirds of the time
  [[nodiscard]] std::optional<double> waiting_seconds(pid_t id);
  // Nothing, too, while the thread runs. Its `number` is -1 when it is not in a system call.
  [[nodiscard]] std::optional<blocked_syscall> blocked_in(pid_t id);
  [[nodiscard]] std::string wait_channel(pid_t id);

  // These allocate nothing, and take no lock; the directory is opened again where the program has
  // closed it. All threads, into the first of `out`, not sorted; and what is known of one: nothing
  // when it has gone, or /proc can't be read.
  [[nodiscard]] listed_threads list_into(std::span<numbered_thread> out) noexcept;
  [[nodiscard]] bool status_into(const numbered_thread& of, bare_status& out) noexcept;
  [[nodiscard]] std::optional<blocked_syscall> blocked_in(const numbered_thread& of) noexcept;

  // Why the last of those that returned nothing did so, as an errno; 0 when it could be read.
  [[nodiscard]] int error() const noexcept { return error_; }
  // Whether the last of them failed although there is such a thread: it may not be read.
  [[nodiscard]] bool is_denied(pid_t id) const noexcept { return error_ != 0 && thread_exists(id); }

 private:
  void open_directory() noexcept;
  std::string_view read(pid_t id, const char* file);
  std::string_view read(const numbered_thread& of, const char* file) noexcept;
  std::string_view read_by_number(pid_t number, const char* file) noexcept;
  listed_threads list_numbers(std::span<numbered_thread> out) noexcept;
  int read_directory(std::vector<pid_t>& numbers);
  void translate(std::vector<pid_t>& numbers);
  [[nodiscard]] std::optional<pid_t> number_in_proc(pid_t id);

  descriptor directory_;
  bool numbers_differ_ = false;  // from those in /proc
  std::vector<std::pair<pid_t, pid_t>>
      ids_;  // sorted, with their numbers in /proc, where they differ
  std::string list_problem_;
  int error_ = 0;
  std::array<char, 8192> buffer_;
};

}  // namespace gmr::os
