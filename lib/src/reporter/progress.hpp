// What the watchdog sees of the reporter: atomics, since the reporter may be stuck anywhere.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gmr {

// Of the requests for a report on the sink. Safe to use from any thread; allocates nothing and
// takes no lock.
class reporting_progress final {
 public:
  void request_made(std::string_view cause) noexcept {
    const std::size_t size = std::min(cause.size(), cause_.size());
    for (std::size_t i = 0; i < size; ++i)
      cause_[i].store(cause[i], std::memory_order_relaxed);
    cause_size_.store(size, std::memory_order_relaxed);
    asked_.fetch_add(1);
  }
  void requests_answered(std::uint64_t count) noexcept { answered_.fetch_add(count); }
  // A report is begun, is being written, or has ended.
  void came_on() noexcept { steps_.fetch_add(1); }
  void report_made() noexcept { made_.fetch_add(1); }
  // Between the two, whoever reads it may be slow.
  void writing(bool begins) noexcept {
    writing_.store(begins);
    came_on();
  }

  [[nodiscard]] std::uint64_t asked() const noexcept { return asked_.load(); }
  [[nodiscard]] std::uint64_t unanswered() const noexcept {
    const std::uint64_t answered = answered_.load();  // first: more may be asked for meanwhile
    return asked_.load() - answered;
  }
  [[nodiscard]] std::uint64_t steps() const noexcept { return steps_.load(); }
  [[nodiscard]] std::uint64_t made() const noexcept { return made_.load(); }
  [[nodiscard]] bool is_writing() const noexcept { return writing_.load(); }

  // Of the last request, as much as there is room for; mixed with that of another where both came
  // at the same time.
  static constexpr std::size_t longest_cause = 256;
  [[nodiscard]] std::size_t cause(std::array<char, longest_cause>& out) const noexcept {
    const std::size_t size = cause_size_.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < size; ++i)
      out[i] = cause_[i].load(std::memory_order_relaxed);
    return size;
  }

 private:
  std::array<std::atomic<char>, longest_cause> cause_{};
  std::atomic<std::size_t> cause_size_{0};
  std::atomic<std::uint64_t> asked_{0};
  std::atomic<std::uint64_t> answered_{0};
  std::atomic<std::uint64_t> steps_{0};
  std::atomic<std::uint64_t> made_{0};
  std::atomic<bool> writing_{false};
};

}  // namespace gmr
