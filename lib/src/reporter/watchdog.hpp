// Sees that a report does not come on, and writes the raw one.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "reporter/fatal_watch.hpp"
#include "reporter/progress.hpp"
#include "reporter/raw_report.hpp"
#include "reporter/report_statistics.hpp"

namespace gmr {

// A thread of its own, "gmr-watchdog", that sleeps on a word in memory (os/bell.hpp). Once it runs
// it allocates nothing and takes no lock.
class watchdog final {
 public:
  // Writes a raw report where somebody has asked for one, and for `patience` the reporter has
  // neither begun, written nor ended one. `cause` is that of a signal which nobody has taken.
  // `progress` and `statistics` live as long.
  watchdog(std::unique_ptr<raw_report> raw, const reporting_progress& progress,
           report_statistics& statistics, std::string cause, std::chrono::milliseconds patience);
  ~watchdog();  // as stop
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;

  // The thread sees to fatal errors, too; before `start`. `whole`: null for raw reports only; it
  // must live as long.
  void watch_fatal_errors(whole_fatal_report* whole, std::chrono::milliseconds longest) noexcept {
    fatal_.emplace(*raw_, whole, statistics_, progress_, longest);
  }

  // The thread takes `capture_signal` (-1: none), and no other that is sent.
  void start(int capture_signal);
  void stop() noexcept;

 private:
  using clock = std::chrono::steady_clock;

  // What it saw last.
  struct view {
    std::uint64_t requests = 0;  // signals included
    std::uint64_t steps = 0;
    bool is_asked = false;

    friend bool operator==(const view&, const view&) = default;
  };

  void run() noexcept;
  [[nodiscard]] view look() const noexcept;
  [[nodiscard]] std::optional<clock::time_point> watch() noexcept;
  void write() noexcept;

  std::unique_ptr<raw_report> raw_;
  const reporting_progress& progress_;
  report_statistics& statistics_;
  const std::string cause_;
  const std::chrono::milliseconds patience_;
  const std::string note_;
  std::optional<fatal_watch> fatal_;
  view seen_;
  clock::time_point since_;   // when it saw that first
  bool has_written_ = false;  // for what it saw
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

}  // namespace gmr
