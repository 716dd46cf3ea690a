// What the library's threads do about a fatal error: the watchdog writes the raw report, then the
// reporter's thread makes the whole one, and then the failing thread goes on to its end.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "gmr/options/options.hpp"
#include "reporter/own_thread.hpp"
#include "reporter/progress.hpp"
#include "reporter/raw_report.hpp"
#include "reporter/report_queue.hpp"
#include "reporter/report_statistics.hpp"

namespace gmr {

// Of the reporter's thread: asks for the whole report, as the failing thread may hold the queue's
// lock. Before anything has failed it makes room for raw reports in log_dir: a service that fails
// again and again at its start writes no others.
class whole_fatal_report final : public duty {
 public:
  // `is_maker`: whether the thread makes reports, rather than an executor of the service's.
  whole_fatal_report(std::shared_ptr<report_queue> queue, std::string service, const settings& set,
                     bool is_maker);

  // Safe to call from any thread; allocates nothing and takes no lock.
  void ask() noexcept;

  [[nodiscard]] std::optional<clock::time_point> attend(clock::time_point now) override;

 private:
  void begin();

  std::shared_ptr<report_queue> queue_;
  const std::string service_;
  const settings settings_;
  const bool is_maker_;
  bool has_begun_ = false;
  std::atomic<bool> is_asked_{false};
};

// Of the watchdog. Not synchronised; allocates nothing after the constructor and takes no lock.
class fatal_watch final {
 public:
  using clock = std::chrono::steady_clock;

  // `whole` is null where there are raw reports only. All must live as long.
  fatal_watch(raw_report& raw, whole_fatal_report* whole, report_statistics& statistics,
              const reporting_progress& progress, std::chrono::milliseconds longest) noexcept
      : raw_(raw), whole_(whole), statistics_(statistics), progress_(progress), longest_(longest) {}

  // Returns when it is to be called again at the latest, unless the bell rings; nothing: when it
  // does.
  [[nodiscard]] std::optional<clock::time_point> attend() noexcept;

 private:
  void write_raw(const os::fatal_error& error) noexcept;
  [[nodiscard]] bool is_over(clock::time_point now) const noexcept;

  raw_report& raw_;
  whole_fatal_report* whole_;
  report_statistics& statistics_;
  const reporting_progress& progress_;
  const std::chrono::milliseconds longest_;
  bool has_written_ = false;
  clock::time_point end_;
};

}  // namespace gmr
