// What the capture stage hands on: copies of registers and stack memory, nothing unwound.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "capture/registers.hpp"
#include "gmr/model/threads.hpp"
#include "os/task_files.hpp"

namespace gmr::capture {

// Part of a stack. The bytes live in the arena of the object that took the snapshot.
struct stack_copy {
  std::uintptr_t address = 0;  // of the first byte in the process
  std::span<const std::byte> bytes;
};

// Registers and the live stack above sp, innermost part first; a second part holds the outermost
// frames when the middle did not fit.
struct stack_snapshot {
  register_set registers;
  bool full_registers = true;  // false: only those a call preserves (a suspended fiber)
  // Read without a signal: no register but pc and sp is known, so the stack is exact only while
  // each frame's CFA is a distance from sp.
  bool only_pc_and_sp = false;
  bool truncated = false;
  std::array<stack_copy, 2> parts;
  // Program counters instead of a copy, when the backend walks in the thread itself.
  std::vector<std::uintptr_t> walked;
  bool walk_broke_off = false;  // not where the thread begins

  // Whether nothing was captured.
  [[nodiscard]] bool empty() const noexcept { return registers.pc() == 0 && walked.empty(); }
};

using os::blocked_syscall;

struct thread_snapshot {
  pid_t id = 0;
  std::string name;
  char state = '?';
  capture_outcome outcome = capture_outcome::unreadable;
  std::string note;
  bool is_reporter = false;
  std::optional<cpu_times> cpu;
  std::optional<blocked_syscall> syscall;
  std::string wait_channel;
  std::uint64_t runs = 0;  // id of the fiber it runs, 0 when none
  stack_snapshot stack;
  // Its stack has come with the last call of the capturer, and is to be unwound.
  bool is_new = false;
  // It has not run since the last capture, where its stack was exact: this is that stack.
  bool is_unchanged = false;
};

}  // namespace gmr::capture
