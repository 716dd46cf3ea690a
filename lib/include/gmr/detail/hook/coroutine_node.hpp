// What the trace keeps of every coroutine frame, and the few stores of its hot path.
//
// A node lies directly before each traced coroutine frame, in memory that is never unmapped
// (coroutine slots, see allocate_coroutine_frame). The frame at the bottom of a chain, Asio's entry
// point, has an entry record before its node: one entry is one green thread.
//
// Writers: whoever runs the green thread; Asio lets only one thread do that at a time, so there are
// no locks. Reader: the reporter, at any moment, from another thread. It reads an entry's state,
// walks from `top` along `caller`, and throws the picture away unless the state is unchanged
// afterwards. For that, each change of a chain first changes the state, and every other store is a
// release: whoever sees the new value also sees the changed state. On x86-64 these are plain moves.
//
// Nothing else is stored on the hot path: names, labels and the parent of a branch hang from a word
// of the entry that is written when there are any (coroutine_entry::extra).
//
// Nothing here is for users: the names are stable only within one release.
#pragma once

#include "gmr/detail/language.hpp"

#include <sys/types.h>
#include <time.h>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <source_location>

namespace gmr::trace {

struct coroutine_entry;

// A source_location is one pointer to static data in libstdc++ and libc++: it fits in an atomic.
static_assert(sizeof(std::source_location) == sizeof(const void*));

class green_thread_notes;

struct coroutine_node {
  // Of an entry's node: the state, see coroutine_state. Of others: flags.
  std::atomic<std::uint64_t> word;
  // The co_await last reached, or the function itself before the first one; of an entry's node:
  // the function it was spawned with. A std::source_location.
  std::atomic<const void*> location;
  // In a free slot: the next free one. Of an entry's node: coroutine_extra.
  std::atomic<coroutine_node*> caller;
  std::atomic<coroutine_entry*> entry;  // null until the coroutine first runs
};

struct coroutine_entry {
  std::atomic<coroutine_node*> top;    // innermost frame
  std::atomic<std::uint64_t> since;    // CLOCK_MONOTONIC ns of the last suspension
  std::atomic<const char*> operation;  // name of the type that is awaited, a literal
  std::atomic<std::uint64_t> id;
  coroutine_node node;
};

static_assert(sizeof(coroutine_node) == 32 && sizeof(coroutine_entry) == 64);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

// What few green threads have, in one word of the entry, so that the others pay nothing for it:
// nothing, the id of the green thread that awaits this one, or notes, which then know the parent.
struct coroutine_extra {
  std::uint64_t word;

  static coroutine_extra of(const coroutine_entry& entry) noexcept {
    return {reinterpret_cast<std::uintptr_t>(entry.node.caller.load(std::memory_order_acquire))};
  }
  static coroutine_extra awaited_by(std::uint64_t id) noexcept { return {id << 1 | 1}; }
  static coroutine_extra with(green_thread_notes* notes) noexcept {
    return {reinterpret_cast<std::uintptr_t>(notes)};
  }
  void store(coroutine_entry& entry) const noexcept {
    entry.node.caller.store(reinterpret_cast<coroutine_node*>(word), std::memory_order_release);
  }
  [[nodiscard]] std::uint64_t parent() const noexcept { return (word & 1) != 0 ? word >> 1 : 0; }
  [[nodiscard]] green_thread_notes* notes() const noexcept {
    return (word & 1) != 0 ? nullptr : reinterpret_cast<green_thread_notes*>(word);
  }
};

// Flags of a node that is not an entry's.
inline constexpr std::uint64_t coroutine_internal = 1;         // Asio's own, not shown
inline constexpr std::uint64_t coroutine_untraced_caller = 2;  // awaited by code without tracing
inline constexpr std::uint64_t coroutine_owns_entry = 4;       // spawned by code without tracing

// An entry's state: two bits of what it does, a counter of changes above them, and in the upper
// half the thread that runs it, or ran it last.
struct coroutine_state {
  enum : std::uint64_t { dead = 0, running = 1, suspended = 2 };

  static constexpr std::uint64_t kind(std::uint64_t word) { return word & 3; }
  static constexpr pid_t thread(std::uint64_t word) { return static_cast<pid_t>(word >> 32); }
  static constexpr std::uint64_t next(std::uint64_t word, std::uint64_t kind,
                                      std::uint64_t thread) {
    return static_cast<std::uint32_t>((word & ~std::uint64_t{3}) + 4) | kind | thread << 32;
  }
};

// Where coroutine slots are: one range of addresses, reserved before the first slot is given out.
struct coroutine_range {
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::uintptr_t> size{0};

  [[nodiscard]] bool contains(const void* address) const noexcept {
    return reinterpret_cast<std::uintptr_t>(address) - begin.load(std::memory_order_relaxed) <
           size.load(std::memory_order_relaxed);
  }
};
extern constinit coroutine_range coroutine_slots;

// Memory for a frame, after a fresh node. From malloc, and so not shown, when the range is used up.
// Throws std::bad_alloc. Safe to call from any thread.
[[nodiscard]] void* allocate_coroutine_frame(std::size_t size);
void free_coroutine_frame(void* frame, std::size_t size) noexcept;

// The same for a frame at the bottom of a chain: the node is that of a fresh entry with an id.
[[nodiscard]] void* allocate_coroutine_entry(std::size_t size);
void free_coroutine_entry(void* frame, std::size_t size) noexcept;

// For a chain whose entry point is not traced: gives `node` an entry of its own, which
// coroutine_finished takes away again.
void adopt_coroutine(coroutine_node& node) noexcept;
void release_adopted_coroutine(coroutine_node& node) noexcept;

// Kernel id of the calling thread; 0 until asked for the first time.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local std::uint32_t this_thread_id;
std::uint32_t find_this_thread_id() noexcept;

// What the calling thread does with coroutines.
struct this_thread_coroutines {
  coroutine_entry* latest = nullptr;      // the one that ran last, and perhaps still does
  const void* stack = nullptr;            // an address on the stack that it runs on
  coroutine_entry* initiating = nullptr;  // the one whose operation is being started
  // The fiber that was left since that began, by its record's sequence: what is started now may be
  // what it waits for. Kept by the fiber hook for gmr::trace_ops.
  const std::atomic<std::uint32_t>* left_fiber = nullptr;
};
[[gnu::tls_model(
    "initial-exec")]] extern constinit thread_local this_thread_coroutines this_thread_runs;

// A green thread runs on the calling thread: the event loop that it runs in is known from now on.
// Cheap when it is already; takes locks of Asio's the first time. Safe to call from any thread.
void note_event_loop() noexcept;

// While an operation is started: coroutines that are spawned for it are its branches.
class [[gnu::visibility("hidden")]] initiation_scope final {
 public:
  explicit initiation_scope(const coroutine_node& node) noexcept
      : before_(this_thread_runs.initiating) {
    this_thread_runs.initiating = node.entry.load(std::memory_order_relaxed);
    this_thread_runs.left_fiber = nullptr;
  }
  ~initiation_scope() {
    this_thread_runs.initiating = before_;
    this_thread_runs.left_fiber = nullptr;
  }
  initiation_scope(const initiation_scope&) = delete;
  initiation_scope& operator=(const initiation_scope&) = delete;

 private:
  coroutine_entry* before_;
};

// As clock_gettime. gmr::trace makes it the kernel's own function, without the way through the C
// library.
using clock_function = int (*)(clockid_t, timespec*);
extern constinit std::atomic<clock_function> coroutine_clock;

inline std::uint64_t coroutine_now() noexcept {
  timespec now;  // 4.6 ns instead of the 18 of CLOCK_MONOTONIC, in steps of 4 ms
  coroutine_clock.load(std::memory_order_relaxed)(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(now.tv_nsec);
}

inline coroutine_node& coroutine_node_of(void* frame) noexcept {
  return *(static_cast<coroutine_node*>(frame) - 1);
}

inline coroutine_entry& coroutine_entry_of(coroutine_node& node) noexcept {
  return *reinterpret_cast<coroutine_entry*>(reinterpret_cast<std::byte*>(&node) -
                                             offsetof(coroutine_entry, node));
}

// The name of T somewhere in a literal; taken apart only when a report is made.
template <typename T>
constexpr const char* operation_name() noexcept {
  return __PRETTY_FUNCTION__;
}

inline void coroutine_at(coroutine_node& node, const void* where) noexcept {
  node.location.store(where, std::memory_order_release);
}

// `node` runs now on this thread: it was resumed, or what it awaited is done.
inline void coroutine_running(coroutine_node& node) noexcept {
  coroutine_entry& entry = *node.entry.load(std::memory_order_relaxed);
  std::uint32_t thread = this_thread_id;
  if (thread == 0) [[unlikely]]
    thread = find_this_thread_id();
  const std::uint64_t state = entry.node.word.load(std::memory_order_relaxed);
  entry.node.word.store(coroutine_state::next(state, coroutine_state::running, thread),
                        std::memory_order_relaxed);
  entry.top.store(&node, std::memory_order_release);
  this_thread_runs.latest = &entry;
  this_thread_runs.stack = __builtin_frame_address(0);
}

// The green thread is about to wait, `node` being the innermost traced frame.
inline void coroutine_suspended(coroutine_node& node, const char* operation) noexcept {
  coroutine_entry& entry = *node.entry.load(std::memory_order_relaxed);
  entry.operation.store(operation, std::memory_order_release);
  entry.since.store(coroutine_now(), std::memory_order_release);
  entry.top.store(&node, std::memory_order_release);
  const std::uint64_t state = entry.node.word.load(std::memory_order_relaxed);
  entry.node.word.store(coroutine_state::next(state, coroutine_state::suspended, state >> 32),
                        std::memory_order_release);
}

// Remembers which green thread awaits this one. `spawner` ran last on this thread: while it still
// runs it is what spawns, within an operation that another one has started, and is no parent.
inline void coroutine_joins_parent(coroutine_entry& entry, coroutine_entry& parent,
                                   const coroutine_entry* spawner) noexcept {
  if (spawner != nullptr && coroutine_slots.contains(spawner)) {
    const std::uint64_t state = spawner->node.word.load(std::memory_order_relaxed);
    if (coroutine_state::kind(state) == coroutine_state::running &&
        coroutine_state::thread(state) == static_cast<pid_t>(this_thread_id))
      return;
  }
  coroutine_extra::awaited_by(parent.id.load(std::memory_order_relaxed)).store(entry);
}

// An entry exists; it runs once its frame is resumed.
inline void coroutine_born(coroutine_node& node) noexcept {
  node.entry.store(&coroutine_entry_of(node), std::memory_order_relaxed);
  if (coroutine_entry* const parent = this_thread_runs.initiating; parent != nullptr) [[unlikely]]
    coroutine_joins_parent(coroutine_entry_of(node), *parent, this_thread_runs.latest);
  coroutine_running(node);
}

// First run of a coroutine that `caller` awaits. `flags` say what it is.
inline void coroutine_joins(coroutine_node& node, coroutine_node& caller,
                            std::uint64_t flags) noexcept {
  coroutine_entry* const entry = caller.entry.load(std::memory_order_relaxed);
  node.word.store(flags, std::memory_order_release);
  node.caller.store(&caller, std::memory_order_release);
  node.entry.store(entry, std::memory_order_relaxed);
  // The function at the bottom, once it runs, is what the green thread was spawned with.
  if (&caller == &entry->node && (flags & coroutine_internal) == 0) {
    caller.location.store(node.location.load(std::memory_order_relaxed), std::memory_order_release);
    note_event_loop();
  }
}

// The frame is being destroyed. While it is still the innermost one, its chain is being destroyed
// with it, from the inside out: leave it, so that nobody walks into the freed slot.
inline void coroutine_finished(coroutine_node& node) noexcept {
  coroutine_entry* const entry = node.entry.load(std::memory_order_relaxed);
  if (entry == nullptr) return;  // it never ran
  // The green thread: not where what awaited this has ended before, or nothing is listed.
  const auto goes_on = [entry] {
    return coroutine_slots.contains(entry) &&
           coroutine_state::kind(entry->node.word.load(std::memory_order_relaxed)) !=
               coroutine_state::dead;
  };
  if (entry->top.load(std::memory_order_relaxed) == &node && goes_on()) [[unlikely]] {
    coroutine_node* const caller = node.caller.load(std::memory_order_relaxed);
    coroutine_running(caller != nullptr ? *caller : entry->node);
  }
  if ((node.word.load(std::memory_order_relaxed) & coroutine_owns_entry) != 0) [[unlikely]]
    release_adopted_coroutine(node);
}

// Gives the notes of a green thread back. It does not change any more.
void release_notes(green_thread_notes& notes) noexcept;

// The entry's frame is being destroyed: the green thread is no more.
inline void coroutine_died(coroutine_node& node) noexcept {
  coroutine_entry& entry = coroutine_entry_of(node);
  if (green_thread_notes* const notes = coroutine_extra::of(entry).notes(); notes != nullptr)
      [[unlikely]] {
    coroutine_extra{0}.store(entry);
    release_notes(*notes);
  }
  if (this_thread_runs.latest == &entry) this_thread_runs.latest = nullptr;
  const std::uint64_t state = node.word.load(std::memory_order_relaxed);
  node.word.store(coroutine_state::next(state, coroutine_state::dead, 0),
                  std::memory_order_release);
}

}  // namespace gmr::trace
