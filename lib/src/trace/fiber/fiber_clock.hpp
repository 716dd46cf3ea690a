// When a fiber was suspended, for as little as a stamp may cost on every switch.
#pragma once

#include <cstdint>

#include <ctime>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace gmr::trace {

// Whether the processor counts at one rate on all cores and in all sleep states. Set once by
// set_up_fiber_clock, before the first switch.
extern constinit bool has_steady_counter;

void set_up_fiber_clock() noexcept;

// Where has_steady_counter is set.
inline std::uint64_t steady_ticks() noexcept {
#if defined(__x86_64__)
  return __rdtsc();
#else
  std::uint64_t ticks;
  asm volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#endif
}

inline std::uint64_t fiber_ticks() noexcept {
  if (has_steady_counter) [[likely]]
    return steady_ticks();
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(now.tv_nsec);
}

// Converts the stamps of one listing to CLOCK_MONOTONIC in ns: the rate is what was seen from
// set-up until now, so it needs no calibration.
class fiber_time final {
 public:
  fiber_time() noexcept;
  [[nodiscard]] std::uint64_t monotonic_ns(std::uint64_t ticks) const noexcept;

 private:
  std::uint64_t now_ticks_;
  std::uint64_t now_ns_;
  double ns_a_tick_;
};

}  // namespace gmr::trace
