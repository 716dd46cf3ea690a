// The scheduler hook: how a runtime shows its green threads to the reporter.
//
// The built-in sources for fibers and coroutines use this interface too; nothing else does the
// listing. A runtime derives from `scheduler`, registers the object, and hands one
// `green_thread_view` per green thread to the visitor whenever the reporter asks.
#pragma once

#include "gmr/detail/language.hpp"

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "gmr/model/threads.hpp"

namespace gmr {

// Registers of a suspended stackful green thread: those a function call preserves.
struct machine_registers {
#if defined(__x86_64__)
  std::uintptr_t pc = 0, sp = 0, rbp = 0, rbx = 0, r12 = 0, r13 = 0, r14 = 0, r15 = 0;
#elif defined(__aarch64__)
  std::uintptr_t pc = 0, sp = 0, x19_to_x30[12] = {};
#else
#error "gmr knows x86-64 and arm64"
#endif
};

// A word of a fiber's stack that has one value as long as the fiber is there. Where it has another,
// or can't be read, the fiber is gone: it is not shown. No address: it is there.
struct stack_mark {
  std::uintptr_t address = 0;
  std::uintptr_t value = 0;
};

// The suspended stack of a fiber: where it lives and the registers to unwind it from.
struct machine_stack {
  machine_registers registers;
  std::uintptr_t low = 0;   // lowest address of the stack
  std::uintptr_t high = 0;  // one past the highest
  stack_mark marks[2];
  // The block of the GNU C library's malloc that the stack is, and its size by the header before
  // it. When it has been given back the fiber is gone. 0: its end is known otherwise.
  std::uintptr_t block = 0;
  std::uintptr_t block_size = 0;
};

// A frame of a stackless coroutine: where it was suspended. The strings must live for as long as
// the process (string literals, std::source_location): they are kept by pointer.
struct logical_frame {
  const char* function = nullptr;
  const char* file = nullptr;
  std::uint32_t line = 0;
  bool unloaded = false;  // the code is gone: this is what was known of it

  friend bool operator==(const logical_frame&, const logical_frame&) = default;
};

// An asynchronous operation that a green thread waits for.
struct waiting_operation {
  std::string_view kind;         // "read", "timer", ...; a literal
  bool ready = false;            // complete: only its handler has not run yet
  int descriptor = -1;           // -1: none, or it was closed
  std::uint64_t expires_at = 0;  // of a timer: CLOCK_MONOTONIC in ns; 0 when unknown or never

  // A counter that is changed before the descriptor is closed. What the descriptor is said to be is
  // dropped unless it still has the value `uses_seen` afterwards. Null: it is not described.
  const std::atomic<std::uint32_t>* uses = nullptr;
  std::uint32_t uses_seen = 0;
};

// One green thread as its scheduler shows it. Everything pointed to need only live until the
// visitor's call returns, except what `sequence` and `logical_frame` say.
struct green_thread_view {
  std::uint64_t id = 0;  // unique among all schedulers: take it from next_green_thread_id()
  green_thread_kind kind = green_thread_kind::fiber;
  green_thread_state state = green_thread_state::suspended;
  std::string_view name;
  std::uint64_t suspended_at = 0;  // CLOCK_MONOTONIC in ns; 0 when unknown
  pid_t thread = 0;                // tid that runs it; 0 when none
  pid_t last_thread = 0;           // while suspended: tid that ran it last; 0 when not known
  std::string_view waits_for;  // kind of operation waited for: "timer", "read", ...; may be empty
  std::span<const std::pair<std::string_view, std::string_view>> labels;
  logical_frame spawned;      // where it was created, when known
  std::uint64_t parent = 0;   // id of the green thread that awaits it or resumed it; 0: none known
  bool long_running = false;  // a long wait is what it is for: no finding is made of it

  // Its stack in one of two forms, innermost frame first. While it runs: neither, or the coroutine
  // chain, whose innermost line is then the last co_await that was reached.
  std::span<const logical_frame> frames;   // a coroutine's chain
  const machine_stack* machine = nullptr;  // a fiber's stack, copied after the call
  // Bounds of a running fiber's stack; 0 when not known.
  std::uintptr_t running_low = 0;
  std::uintptr_t running_high = 0;

  // Of a suspended coroutine of asio::awaitable: for hook/coroutine/coroutine_variables.hpp.
  const void* innermost = nullptr;

  // What it waits for in detail. Of Asio's green threads gmr::trace_ops knows: it finds them by
  // where the record is, and the record's state when it was seen.
  std::span<const waiting_operation> operations;
  const void* record = nullptr;
  std::uint64_t record_state = 0;

  // For a machine stack whose owner may resume it at any moment: a counter that is changed before
  // the stack is used again. The copy is dropped unless it still has the value `sequence_seen`
  // afterwards. Must stay readable for as long as the process. Null: nothing resumes it meanwhile.
  const std::atomic<std::uint32_t>* sequence = nullptr;
  std::uint32_t sequence_seen = 0;
};

// Receives what a scheduler lists.
class green_thread_visitor {
 public:
  virtual void visit(const green_thread_view& green_thread) = 0;

 protected:
  ~green_thread_visitor() = default;
};

// A runtime with green threads.
class scheduler {
 public:
  virtual ~scheduler() = default;

  // Short name for messages, such as "Boost.Context fibers".
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;

  // Calls `visitor.visit` once for each green thread. Called on the reporter's thread, one report
  // at a time, while the service runs: it must not wait for anything that a stuck green thread or
  // thread could hold, and must not run any green thread. What it throws becomes a note in the
  // report.
  virtual void list(green_thread_visitor& visitor) = 0;

  // What keeps this source from seeing all it should (for example "the fiber hook is not linked"),
  // or empty. Becomes a finding.
  [[nodiscard]] virtual std::string_view problem() const noexcept { return {}; }
};

// Keeps a scheduler registered for as long as it lives.
class [[nodiscard]] scheduler_registration {
 public:
  scheduler_registration() = default;
  scheduler_registration(scheduler_registration&& other) noexcept
      : registered_(std::exchange(other.registered_, nullptr)) {}
  scheduler_registration& operator=(scheduler_registration&& other) noexcept {
    std::swap(registered_, other.registered_);
    return *this;
  }
  // Waits for a listing that is under way.
  ~scheduler_registration();

 private:
  friend scheduler_registration register_scheduler(scheduler& source);
  explicit scheduler_registration(scheduler* source) noexcept : registered_(source) {}
  scheduler* registered_ = nullptr;
};

// Adds a scheduler to every later report. `source` must outlive the registration.
// Safe to call from any thread, also during static initialisation.
scheduler_registration register_scheduler(scheduler& source);

// A new id, never used before in this process. Safe to call from any thread; async-signal-safe.
[[nodiscard]] std::uint64_t next_green_thread_id() noexcept;

}  // namespace gmr
