// Registers and stacks of all threads, taken without allocating and without a lock: for the raw
// report. capture/thread_capturer.hpp is for all others.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "capture/capture_policy.hpp"
#include "capture/capture_slot.hpp"
#include "capture/registers.hpp"
#include "os/reserved_memory.hpp"
#include "os/task_files.hpp"

namespace gmr::capture {

struct bare_thread {
  pid_t id = 0;
  os::bare_status status;
  bool is_caller = false;
  capture_outcome outcome = capture_outcome::exited;
  const char* note = "";   // a literal
  std::uint64_t runs = 0;  // id of the fiber it runs, 0 when none

  // Where its stack begins; with only_pc_and_sp it is read where it is, from a thread that has not
  // run since if `cpu` is still its clock. Otherwise it is copied in `copy`.
  register_set registers;
  bool only_pc_and_sp = false;
  std::uint64_t cpu = 0;
  const capture_slot* copy = nullptr;
  std::optional<blocked_syscall> syscall;
  std::optional<std::uint32_t> asked;  // which slot it is to fill
};

// Not synchronised. After the constructor nothing is allocated.
class bare_capturer final {
 public:
  static constexpr std::size_t most_threads = 65536;
  static constexpr std::size_t most_at_once = 64;  // questions that are open at a time

  // `signal`: the capture signal, whose handler is somebody else's business; -1: none.
  explicit bare_capturer(int signal, std::size_t stack_bytes);

  // The ids of all threads, valid until the next call.
  [[nodiscard]] std::span<const pid_t> list() noexcept;

  // The same list, and not anew, without that one.
  [[nodiscard]] std::span<const pid_t> without(pid_t id) noexcept;

  // What can be known of it from outside.
  void look(pid_t id, bare_thread& out) noexcept;
  // Whether what was read of its stack meanwhile is right.
  [[nodiscard]] static bool has_not_run(const bare_thread& thread) noexcept;
  // Asks it by signal, where that does no harm; the number-th question since the last `wait`.
  void ask(bare_thread& thread, std::size_t number) noexcept;
  // Until those that were asked have answered.
  void wait(std::span<bare_thread> threads, std::chrono::steady_clock::time_point end) noexcept;

 private:
  int signal_;
  stack_bounds main_;
  os::task_files files_;
  os::reserved_memory<pid_t> ids_{most_threads};
  std::size_t listed_ = 0;  // of ids_
  bool has_slots_;
};

}  // namespace gmr::capture
