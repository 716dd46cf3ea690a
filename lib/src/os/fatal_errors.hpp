// Errors that end the process: the failing thread waits in a handler of ours while others report
// on it. Then what was there before us is put back and the error happens again, so that exit
// status, core and earlier handlers are as without us. Once in the life of a process.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "os/arch/machine.hpp"

namespace gmr::os {

// What the failing thread leaves for those who report. Plain data.
struct fatal_error {
  pid_t thread = 0;
  int signal = 0;              // SIGSEGV, SIGBUS, SIGFPE, SIGILL or SIGABRT; 0: std::terminate
  int code = 0;                // si_code
  std::uintptr_t address = 0;  // si_addr, where the processor has raised the signal
  pid_t sender = 0;            // where somebody has sent it
  std::array<std::uintptr_t, arch::register_count> registers{};  // where it failed

  // Of the exception that nobody catches, also where abort has followed: the type as the compiler
  // writes it, cut where there is no room.
  std::array<char, 256> exception_type{};
  std::array<char, 512> exception_text{};

  // Whether the processor has raised the signal, and `address` says something.
  [[nodiscard]] bool is_fault() const noexcept { return signal != 0 && code > 0; }
  [[nodiscard]] std::string_view type() const noexcept { return exception_type.data(); }
  [[nodiscard]] std::string_view text() const noexcept { return exception_text.data(); }
  [[nodiscard]] std::uintptr_t sp() const noexcept { return registers[arch::sp_register]; }
  [[nodiscard]] std::uintptr_t pc() const noexcept { return registers[arch::pc_register]; }
};

// From now on a thread that fails waits until it is released, `longest` at most, with all signals
// blocked but `open_signal` (0 and below: none). Signals that are ignored stay ignored. A process
// that was forked has what was there before. Once at a time. Throws std::bad_alloc where nothing
// can be told of forks.
void catch_fatal_errors(int open_signal, std::chrono::milliseconds longest);

// Puts back what was there before, where nobody else has replaced it, and releases who waits. Safe
// to call from any thread; async-signal-safe but for the C++ runtime's part.
void stop_catching_fatal_errors() noexcept;

// The error that a thread waits with; null where there is none. What it points to stays as it is.
// Async-signal-safe.
[[nodiscard]] const fatal_error* present_fatal_error() noexcept;

// Whether that is the thread which waits.
[[nodiscard]] inline bool is_failing_thread(pid_t id) noexcept {
  const fatal_error* const present = present_fatal_error();
  return present != nullptr && present->thread == id;
}

// Lets it go on to its end.
void release_failing_thread() noexcept;

// Who reports. Where the calling thread itself fails, too, nobody waits for it: who writes the raw
// report gets no chance to report on itself, and who makes the whole one is given up.
void writes_raw_reports() noexcept;
void makes_whole_reports() noexcept;

// Whether the thread that makes whole reports is the failing one, or has failed meanwhile.
[[nodiscard]] bool has_maker_failed() noexcept;

}  // namespace gmr::os
