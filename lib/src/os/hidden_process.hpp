// Runs a program of ours, whose image is in memory, in a process that the service does not notice.
//
// A program that the service itself had started would be seen by it: execve makes SIGCHLD the
// signal of its end, whatever the clone said, and wait(-1) returns it. So a keeper stands between:
// a process that shares the service's memory (no page table is copied), never executes anything,
// and ends with no signal. It is the program's parent, waits for it and writes down how it ended.
//
// The program has no descriptor of the service, no environment but what it is given, and all
// signals blocked. It ends when its keeper does, and the keeper when the thread that started it
// does.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "os/files.hpp"

namespace gmr::os {

// The program's descriptors: its end of the socket, nothing twice, and the service's executable
// unless that can't be opened.
inline constexpr int hidden_process_socket = 0;
inline constexpr int hidden_process_executable = 3;

struct hidden_program {
  std::span<const std::byte> image;
  std::vector<std::string> arguments;  // with the name first
  std::vector<std::string> environment;
};

// What could not be done, and why; `step` is null when all could.
struct start_failure {
  const char* step = nullptr;
  int error = 0;
};

// Whether it is the keeper of a program that this process has started so: a child that the service
// does not have. Safe to call from any thread.
[[nodiscard]] bool is_keeper(pid_t process) noexcept;

struct keeper_room;  // the memory that the keeper runs on

// Owns a running program: ends it when destroyed, and leaves it alone when that happens in a forked
// child. Not synchronised. Not async-signal-safe.
class hidden_process final {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  hidden_process() = default;
  ~hidden_process() { stop(); }
  hidden_process(hidden_process&& other) noexcept { swap(other); }
  hidden_process& operator=(hidden_process&& other) noexcept {
    swap(other);
    return *this;
  }

  // Returns when the program has been started or can't be, and at the deadline.
  [[nodiscard]] static hidden_process start(const hidden_program& what, time_point deadline,
                                            start_failure& failure);

  [[nodiscard]] bool is_running() const noexcept { return room_ != nullptr; }
  // Our end, which never blocks; -1 when something else has the number now.
  [[nodiscard]] int socket() const noexcept { return socket_.number(); }

  // Kills the program unless it has ended, and gives back what belonged to it. The status as
  // wait(2) has it: SIGKILL where it was still running. -1 when that is not known.
  int stop() noexcept;
  // The same for a program that has closed its socket and is about to end: it is given a moment.
  int wait() noexcept;

 private:
  [[nodiscard]] bool is_ours() const noexcept;
  void swap(hidden_process& other) noexcept;

  descriptor socket_;
  pid_t keeper_ = -1;
  keeper_room* room_ = nullptr;
};

}  // namespace gmr::os
