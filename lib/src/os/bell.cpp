#include "os/bell.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <ctime>

namespace gmr::os {
namespace {

constinit std::atomic<std::uint32_t> rung{0};

}  // namespace

void ring_bell() noexcept {
  rung.fetch_add(1);
  ::syscall(SYS_futex, &rung, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

std::uint32_t bell_count() noexcept {
  return rung.load();
}

void wait_for_bell(std::uint32_t seen,
                   std::optional<std::chrono::steady_clock::time_point> until) noexcept {
#if defined(__SANITIZE_THREAD__)
  // It holds signals back until the thread makes a call that it knows.
  const auto soon = std::chrono::steady_clock::now() + std::chrono::milliseconds{50};
  until = std::min(until.value_or(soon), soon);
#endif
  timespec time{};
  if (until) {
    constexpr std::int64_t second = 1'000'000'000;
    const auto since_start = std::chrono::nanoseconds{until->time_since_epoch()}.count();
    time.tv_sec = static_cast<std::time_t>(std::max<std::int64_t>(since_start, 0) / second);
    time.tv_nsec = static_cast<long>(std::max<std::int64_t>(since_start, 0) % second);
  }
  ::syscall(SYS_futex, &rung, FUTEX_WAIT_BITSET_PRIVATE, seen, until ? &time : nullptr, nullptr,
            FUTEX_BITSET_MATCH_ANY);
}

}  // namespace gmr::os
