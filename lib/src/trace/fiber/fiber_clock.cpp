// See fiber_clock.hpp.
#include "trace/fiber/fiber_clock.hpp"

#include <algorithm>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace gmr::trace {

constinit bool has_steady_counter = false;

namespace {

constinit std::uint64_t first_ticks = 0;
constinit std::uint64_t first_ns = 0;

std::uint64_t monotonic_now() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(now.tv_nsec);
}

bool find_steady_counter() noexcept {
#if defined(__x86_64__)
  constexpr unsigned power_leaf = 0x80000007;
  constexpr unsigned invariant_tsc = 1u << 8;
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(power_leaf, &a, &b, &c, &d) != 0 && (d & invariant_tsc) != 0;
#else
  return true;  // arm64: cntvct_el0 is architecturally steady
#endif
}

}  // namespace

void set_up_fiber_clock() noexcept {
  has_steady_counter = find_steady_counter();
  first_ticks = fiber_ticks();
  first_ns = monotonic_now();
}

fiber_time::fiber_time() noexcept
    : now_ticks_(fiber_ticks()), now_ns_(monotonic_now()), ns_a_tick_(1) {
  if (has_steady_counter && now_ticks_ > first_ticks)
    ns_a_tick_ =
        static_cast<double>(now_ns_ - first_ns) / static_cast<double>(now_ticks_ - first_ticks);
}

std::uint64_t fiber_time::monotonic_ns(std::uint64_t ticks) const noexcept {
  if (ticks == 0) return 0;
  if (ticks >= now_ticks_) return now_ns_;
  const auto ago = static_cast<std::uint64_t>(static_cast<double>(now_ticks_ - ticks) * ns_a_tick_);
  return ago < now_ns_ ? now_ns_ - ago : 1;
}

}  // namespace gmr::trace
