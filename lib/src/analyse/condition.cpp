#include "analyse/condition.hpp"

#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>

#include "analyse/futex_wait.hpp"
#include "os/memory.hpp"

namespace gmr::analyse {
namespace {

// How glibc's pthread_cond_t begins.
struct condition_head {
  std::uint64_t wait_sequence;  // counts waits, above its lowest bit
  std::uint64_t group_start;    // the first wait that has not been woken
  std::uint32_t references[2];  // not where the tail begins here already, as since glibc 2.41
};
constexpr std::size_t head_without_references = offsetof(condition_head, references);

// How it ends. A waiter waits on one of the two words of `signals`.
struct condition_tail {
  std::uint32_t sizes[2];
  std::uint32_t original_size;  // above two bits of a lock
  std::uint32_t waiters;        // above three bits of flags
  std::uint32_t signals[2];
};
constexpr unsigned waiter_shift = 3;

constexpr std::uint32_t most_waiters = 1U << 20;

// Where the tail is. The version of the C library does not tell: distributions take the newer
// layout into older versions. But a wait that is given up at once leaves the size of the first
// group of a fresh condition variable at -1, and nothing else there is.
std::optional<std::size_t> find_tail() noexcept {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t fresh = PTHREAD_COND_INITIALIZER;
  const timespec long_ago{};
  pthread_mutex_lock(&mutex);
  pthread_cond_timedwait(&fresh, &mutex, &long_ago);
  pthread_mutex_unlock(&mutex);
  std::array<std::uint32_t, sizeof fresh / sizeof(std::uint32_t)> words{};
  std::memcpy(words.data(), &fresh, sizeof words);
  const auto size = std::find(words.begin(), words.end(), ~std::uint32_t{0});
  const auto place = static_cast<std::size_t>(size - words.begin()) * sizeof(std::uint32_t);
  if (place != head_without_references && place != sizeof(condition_head)) return std::nullopt;
  return place;
}

const std::optional<std::size_t>& place_of_tail() noexcept {
  static const std::optional<std::size_t> place = find_tail();
  return place;
}

bool is_plausible_size(std::uint32_t size) noexcept {
  return size < most_waiters || ~size < most_waiters;  // those who give up are taken off it
}

bool is_plausible(const condition_tail& tail, const futex_wait& wait) noexcept {
  constexpr unsigned shared_flag = 1;
  constexpr unsigned lock_bits = 2;
  const std::uint32_t waiting = tail.waiters >> waiter_shift;
  return waiting > 0 && waiting < most_waiters &&
         ((tail.waiters & shared_flag) == 0) == wait.is_private &&
         is_plausible_size(tail.sizes[0]) && is_plausible_size(tail.sizes[1]) &&
         tail.original_size >> lock_bits < most_waiters;
}

// What lies before the word of another kind of wait is anything, on a stack mostly pointers: none
// of them is a number of waits so far.
bool is_plausible(std::uint64_t waits, std::uint64_t woken) noexcept {
  constexpr std::uint64_t most_waits = 1ULL << 45;
  return waits > 0 && waits < most_waits && woken <= waits && waits - woken < most_waiters;
}

bool is_waited_for(const condition_head& head, const condition_tail& tail, std::size_t index,
                   const futex_wait& wait, bool has_references) noexcept {
  const std::uint64_t waits = head.wait_sequence >> 1U;
  if (!is_plausible(tail, wait)) return false;
  if (has_references) {
    const std::uint32_t in_group = head.references[index] >> 1U;
    return is_plausible(waits, head.group_start >> 1U) && wait.expected == 0 && in_group > 0 &&
           in_group <= tail.waiters >> waiter_shift;
  }
  // Whoever found a signal there, counted from the start of the group, would not have waited.
  const auto signals =
      static_cast<std::int32_t>(wait.expected - static_cast<std::uint32_t>(head.group_start));
  return is_plausible(waits, head.group_start) && signals <= 0;
}

// What pthread_cond_wait keeps on the stack, for the case that the thread is cancelled.
struct cleanup_words {
  std::uint64_t wait_sequence;
  std::uint64_t condition;
  std::uint64_t mutex;
  std::int32_t shared;
};

bool could_be(const cleanup_words& words, std::uint64_t condition, std::uint64_t waits) noexcept {
  constexpr std::int32_t shared = 128;
  return words.condition == condition && words.wait_sequence >> 1U < waits &&
         (words.shared == 0 || words.shared == shared) && is_used_mutex(words.mutex);
}

}  // namespace

std::optional<std::uint64_t> find_condition(const futex_wait& wait) noexcept {
  const auto& place = place_of_tail();
  if (!place) return std::nullopt;
  const std::uint64_t first_signals = *place + offsetof(condition_tail, signals);
  for (const std::size_t index : {0U, 1U}) {
    const std::uint64_t begin = wait.address - first_signals - index * sizeof(std::uint32_t);
    if (begin % alignof(pthread_cond_t) != 0) continue;
    const auto head = os::read_memory<condition_head>(begin);
    const auto tail = os::read_memory<condition_tail>(begin + *place);
    const bool has_references = *place == sizeof(condition_head);
    if (head && tail && is_waited_for(*head, *tail, index, wait, has_references)) return begin;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> find_mutex_of_condition(const capture::stack_snapshot& waiter,
                                                     std::uint64_t condition) noexcept {
  constexpr std::size_t largest_frames = 2048;  // of pthread_cond_wait and what it calls
  constexpr std::size_t word = sizeof(std::uint64_t);
  const auto sequence = os::read_memory<std::uint64_t>(condition);
  const capture::stack_copy& copy = waiter.parts.front();
  const auto bytes = copy.bytes.first(std::min(copy.bytes.size(), largest_frames));
  if (!sequence) return std::nullopt;
  for (std::size_t at = (word - copy.address % word) % word;
       at + sizeof(cleanup_words) <= bytes.size(); at += word) {
    cleanup_words words{};
    std::memcpy(&words, bytes.data() + at, sizeof words);
    if (could_be(words, condition, *sequence >> 1U)) return words.mutex;
  }
  return std::nullopt;
}

}  // namespace gmr::analyse
