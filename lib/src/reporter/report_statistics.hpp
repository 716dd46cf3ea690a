// Counts what the reporter does. Atomics: whoever reads may be any thread, also while the reporter
// is stuck.
#pragma once

#include <array>
#include <atomic>
#include <bitset>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "gmr/model/counters.hpp"

namespace gmr {

using cause_set = std::bitset<report_causes>;  // by the number of the enumerator

// Safe to use from any thread; allocates nothing and takes no lock.
class report_statistics final {
 public:
  void asked(report_cause cause) noexcept { count(&cells::asked, cause); }
  void refused(report_cause cause) noexcept { count(&cells::refused, cause); }
  void raw_written() noexcept { raw_.fetch_add(1, std::memory_order_relaxed); }
  // A report has ended, which was asked for by these.
  void ended(cause_set causes, bool failed, std::chrono::nanoseconds took) noexcept {
    last_.store(took.count(), std::memory_order_relaxed);
    total_.fetch_add(took.count(), std::memory_order_relaxed);
    std::atomic<std::uint64_t> cells::* const which = failed ? &cells::failed : &cells::made;
    (all_.*which).fetch_add(1, std::memory_order_relaxed);
    for (std::size_t i = 0; i < report_causes; ++i)
      if (causes.test(i)) (by_cause_[i].*which).fetch_add(1, std::memory_order_relaxed);
  }

  [[nodiscard]] report_counters read() const noexcept {
    report_counters out;
    out.all = all_.read();
    out.raw = raw_.load(std::memory_order_relaxed);
    out.last_duration = std::chrono::nanoseconds{last_.load(std::memory_order_relaxed)};
    out.total_duration = std::chrono::nanoseconds{total_.load(std::memory_order_relaxed)};
    for (std::size_t i = 0; i < report_causes; ++i)
      out.by_cause[i] = by_cause_[i].read();
    return out;
  }

 private:
  struct cells {
    std::atomic<std::uint64_t> asked{0};
    std::atomic<std::uint64_t> refused{0};
    std::atomic<std::uint64_t> made{0};
    std::atomic<std::uint64_t> failed{0};

    [[nodiscard]] cause_counters read() const noexcept {
      return {.asked = asked.load(std::memory_order_relaxed),
              .refused = refused.load(std::memory_order_relaxed),
              .made = made.load(std::memory_order_relaxed),
              .failed = failed.load(std::memory_order_relaxed)};
    }
  };

  void count(std::atomic<std::uint64_t> cells::* which, report_cause cause) noexcept {
    (all_.*which).fetch_add(1, std::memory_order_relaxed);
    (by_cause_[static_cast<std::size_t>(cause)].*which).fetch_add(1, std::memory_order_relaxed);
  }

  cells all_;
  std::array<cells, report_causes> by_cause_;
  std::atomic<std::uint64_t> raw_{0};
  std::atomic<std::int64_t> last_{0};
  std::atomic<std::int64_t> total_{0};
};

}  // namespace gmr
