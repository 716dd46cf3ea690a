#include "analyse/futex_wait.hpp"

#include <linux/futex.h>

#include <cstddef>
#include <utility>

#include "analyse/read_memory.hpp"
#include "capture/send_signal.hpp"

namespace gmr::analyse {
namespace {

// The beginning of glibc's pthread_mutex_t.
struct mutex_head {
  std::uint32_t lock;
  std::uint32_t count;
  std::int32_t owner;
  std::uint32_t users;
  std::int32_t kind;
};

// glibc's pthread_cond_t; a waiter waits on one of the two words at its end.
struct condition {
  std::uint64_t wait_sequence;  // this and the next one count waits, above their lowest bit
  std::uint64_t group_start;
  std::uint32_t references[2];
  std::uint32_t sizes[2];
  std::uint32_t original_size;
  std::uint32_t waiters;  // and 3 bits of flags
  std::uint32_t signals[2];
};
constexpr std::uint64_t first_signals = 40;

// glibc's pthread_rwlock_t; waiters wait on one of three of its words.
struct rwlock {
  std::uint32_t readers;  // times 8, and flags
  std::uint32_t writers;
  std::uint32_t phase;
  std::uint32_t writer_gate;
  std::uint32_t unused[2];
  std::int32_t writer;
  std::int32_t shared;
};
constexpr unsigned reader_flags = 3;

struct semaphore {
  std::uint32_t value;
  std::uint32_t waiters;
};

constexpr std::uint32_t locked_with_waiters = 2;
constexpr std::int32_t known_mutex_kinds = 0x3ff;
constexpr std::uint32_t plausible_count = 1U << 20;

[[nodiscard]] bool is_held_mutex(const mutex_head& head) noexcept {
  return head.lock != 0 && head.owner > 0 && head.kind >= 0 && head.kind <= known_mutex_kinds &&
         head.users > 0 && head.users < plausible_count && capture::thread_exists(head.owner);
}

// Whether the words could be those of a condition variable somebody waits on. What lies before a
// semaphore is anything, on a stack mostly pointers: none of them is a number of waits so far.
[[nodiscard]] bool is_plausible(const condition& found, std::uint64_t index) noexcept {
  constexpr unsigned flag_bits = 3;
  constexpr std::uint64_t most_waits = 1ULL << 45;
  const std::uint64_t waits = found.wait_sequence >> 1U;
  const std::uint64_t woken = found.group_start >> 1U;
  const std::uint32_t waiting = found.waiters >> flag_bits;
  const std::uint32_t in_group = found.references[index] >> 1U;
  return waits < most_waits && woken <= waits && waits - woken < plausible_count && in_group > 0 &&
         in_group <= waiting && found.waiters < plausible_count;
}

// The condition variable that has `address` as the `index`th of its words.
std::optional<std::uint64_t> find_condition(std::uint64_t address, std::uint64_t index) noexcept {
  const std::uint64_t begin = address - first_signals - index * sizeof(std::uint32_t);
  if (begin % alignof(condition) != 0) return std::nullopt;
  const auto found = read_memory<condition>(begin);
  if (!found || !is_plausible(*found, index)) return std::nullopt;
  return begin;
}

// Only what is held, and looks in every word like one. Who only reads leaves no name there.
std::optional<rwlock> find_rwlock(std::uint64_t begin) noexcept {
  constexpr std::uint32_t largest_gate = 3;
  const auto found = read_memory<rwlock>(begin);
  if (!found || found->phase > largest_gate || found->writer_gate > largest_gate ||
      found->unused[0] != 0 || found->unused[1] != 0 || found->writer < 0 ||
      (found->shared != 0 && found->shared != 1) ||
      found->readers >> reader_flags >= plausible_count)
    return std::nullopt;
  const bool is_held = found->writer != 0 ? capture::thread_exists(found->writer)
                                          : found->readers >> reader_flags > 0;
  return is_held ? found : std::nullopt;
}

wait_info make(const char* kind, std::uint64_t address, std::optional<pid_t> owner = {}) {
  wait_info info;
  info.kind = kind;
  info.address = address;
  info.owner = owner;
  return info;
}

std::optional<wait_info> rwlock_wait(std::uint64_t address) {
  for (const std::uint64_t word : {offsetof(rwlock, phase), offsetof(rwlock, writer_gate)}) {
    const auto found = find_rwlock(address - word);
    if (!found) continue;
    wait_info info = make("rwlock", address - word);
    if (found->writer != 0) info.owner = found->writer;
    if (found->writer == 0) info.peer = "held by readers";
    return info;
  }
  return std::nullopt;
}

wait_info inherited_mutex(std::uint64_t address) {
  const auto word = read_memory<std::uint32_t>(address);
  const pid_t owner = word ? static_cast<pid_t>(*word & FUTEX_TID_MASK) : 0;
  return make("mutex", address, owner > 0 ? std::optional{owner} : std::nullopt);
}

wait_info plain_wait(std::uint64_t address, std::uint32_t expected, bool shared, bool timed) {
  const auto word = read_memory<std::uint32_t>(address);
  if (expected == locked_with_waiters || (expected & FUTEX_WAITERS) != 0) {
    if (const auto owner = mutex_owner(address))
      return make(timed ? "timed mutex" : "mutex", address, owner);
  }
  // pthread_join waits until the kernel clears the tid in the descriptor of the thread.
  const auto joined = static_cast<pid_t>(expected);
  if (shared && joined > 0 && word == expected && capture::thread_exists(joined))
    return make("join", address, joined);
  for (const std::uint64_t index : {0U, 1U})
    if (const auto found = find_condition(address, index)) return make("condition", *found);
  const auto counted = read_memory<semaphore>(address);
  if (expected == 0 && counted && counted->value == 0 && counted->waiters > 0 &&
      counted->waiters < plausible_count)
    return make("semaphore", address);
  if (expected == 2 || expected == 3)  // closed, and somebody waits
    if (auto lock = rwlock_wait(address)) return *std::move(lock);
  return make("futex", address);
}

}  // namespace

std::optional<pid_t> mutex_owner(std::uint64_t address) noexcept {
  const auto head = read_memory<mutex_head>(address);
  if (!head || !is_held_mutex(*head)) return std::nullopt;
  return head->owner;
}

wait_info futex_wait_of(const capture::blocked_syscall& call) {
  const std::uint64_t address = call.arguments[0];
  const auto operation = static_cast<int>(call.arguments[1]);
  const auto expected = static_cast<std::uint32_t>(call.arguments[2]);
  const bool timed = call.arguments[3] != 0;
  switch (operation & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
      return plain_wait(address, expected, (operation & FUTEX_PRIVATE_FLAG) == 0, timed);
    case FUTEX_LOCK_PI:
      return inherited_mutex(address);
    default:
      return make("futex", address);
  }
}

}  // namespace gmr::analyse
