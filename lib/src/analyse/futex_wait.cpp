#include "analyse/futex_wait.hpp"

#include <linux/futex.h>

#include <cstddef>
#include <utility>

#include "analyse/condition.hpp"
#include "capture/send_signal.hpp"
#include "capture/thread_descriptor.hpp"
#include "os/memory.hpp"

namespace gmr::analyse {
namespace {

using os::read_memory;

// The beginning of glibc's pthread_mutex_t.
struct mutex_head {
  std::uint32_t lock;
  std::uint32_t count;
  std::int32_t owner;
  std::uint32_t users;
  std::int32_t kind;
};

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

// glibc's sem_t.
struct semaphore {
  std::uint32_t value;
  std::uint32_t waiters;
  std::uint32_t shared;
};

constexpr std::uint32_t locked_with_waiters = 2;
constexpr std::int32_t known_mutex_kinds = 0x3ff;
constexpr std::uint32_t plausible_count = 1U << 20;

bool is_plausible(const mutex_head& head) noexcept {
  return head.kind >= 0 && head.kind <= known_mutex_kinds && head.users > 0 &&
         head.users < plausible_count;
}

bool is_held_mutex(const mutex_head& head) noexcept {
  return head.lock != 0 && head.owner > 0 && is_plausible(head) &&
         capture::thread_exists(head.owner);
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

wait_info make(wait_kind kind, std::uint64_t address, std::optional<pid_t> owner = {}) {
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
    wait_info info = make(wait_kind::rwlock, address - word);
    if (found->writer != 0) info.owner = found->writer;
    if (found->writer == 0) info.peer = "held by readers";
    return info;
  }
  return std::nullopt;
}

wait_info inherited_mutex(std::uint64_t address) {
  const auto word = read_memory<std::uint32_t>(address);
  const pid_t owner = word ? static_cast<pid_t>(*word & FUTEX_TID_MASK) : 0;
  return make(wait_kind::mutex, address, owner > 0 ? std::optional{owner} : std::nullopt);
}

bool is_waited_for(const semaphore& found, const futex_wait& wait) noexcept {
  constexpr std::uint32_t shared = 128;
  return wait.expected == 0 && found.value == 0 && found.waiters > 0 &&
         found.waiters < plausible_count && found.shared == (wait.is_private ? 0 : shared);
}

// pthread_join waits for a word in the descriptor of the thread, which the kernel clears at its
// end: the tid, or since glibc 2.43 a state.
std::optional<pid_t> joined_thread(const futex_wait& wait) noexcept {
  if (wait.is_private || wait.expected == 0) return std::nullopt;
  if (read_memory<std::uint32_t>(wait.address) != wait.expected) return std::nullopt;
  constexpr std::uint32_t largest_state = 3;
  const auto joined = static_cast<pid_t>(wait.expected);
  const bool is_tid = wait.expected > largest_state
                          ? joined > 0 && capture::thread_exists(joined)
                          : capture::is_described_at(joined, wait.address);
  return is_tid ? joined : capture::thread_described_at(wait.address);
}

std::optional<wait_info> mutex_wait(const futex_wait& wait, wait_kind kind) {
  if (wait.expected != locked_with_waiters && (wait.expected & FUTEX_WAITERS) == 0)
    return std::nullopt;
  const auto owner = mutex_owner(wait.address);
  return owner ? std::optional{make(kind, wait.address, owner)} : std::nullopt;
}

// glibc waits like this for all but mutexes without a timeout, the standard library never without
// a timeout: its atomic variables are not taken for what their neighbours look like.
wait_info wait_with_bitset(const futex_wait& wait, bool timed) {
  if (auto mutex = mutex_wait(wait, timed ? wait_kind::timed_mutex : wait_kind::mutex))
    return *std::move(mutex);
  if (const auto joined = joined_thread(wait)) return make(wait_kind::join, wait.address, joined);
  if (const auto found = find_condition(wait)) return make(wait_kind::condition, *found);
  const auto counted = read_memory<semaphore>(wait.address);
  if (counted && is_waited_for(*counted, wait)) return make(wait_kind::semaphore, wait.address);
  if (wait.expected == 2 || wait.expected == 3)  // closed, and somebody waits
    if (auto lock = rwlock_wait(wait.address)) return *std::move(lock);
  return make(wait_kind::futex, wait.address);
}

wait_info plain_wait(const futex_wait& wait, bool timed) {
  auto mutex = mutex_wait(wait, timed ? wait_kind::timed_mutex : wait_kind::mutex);
  return mutex ? *std::move(mutex) : make(wait_kind::futex, wait.address);
}

}  // namespace

bool is_used_mutex(std::uint64_t address) noexcept {
  const auto head = read_memory<mutex_head>(address);
  return head && address % alignof(mutex_head) == 0 && is_plausible(*head);
}

std::optional<pid_t> mutex_owner(std::uint64_t address) noexcept {
  const auto head = read_memory<mutex_head>(address);
  if (!head || !is_held_mutex(*head)) return std::nullopt;
  return head->owner;
}

wait_info futex_wait_of(const capture::blocked_syscall& call) {
  const auto operation = static_cast<int>(call.arguments[1]);
  const futex_wait wait{.address = call.arguments[0],
                        .expected = static_cast<std::uint32_t>(call.arguments[2]),
                        .is_private = (operation & FUTEX_PRIVATE_FLAG) != 0};
  const bool timed = call.arguments[3] != 0;
  switch (operation & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
      return plain_wait(wait, timed);
    case FUTEX_WAIT_BITSET:
      return wait_with_bitset(wait, timed);
    case FUTEX_LOCK_PI:
      return inherited_mutex(wait.address);
    default:
      return make(wait_kind::futex, wait.address);
  }
}

}  // namespace gmr::analyse
