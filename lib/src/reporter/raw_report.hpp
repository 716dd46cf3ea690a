// The raw report: what can be said where the reporter does not come on, because what it needs is
// what the program is stuck in. All threads and green threads, as modules and offsets in them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "analyse/bare_groups.hpp"
#include "capture/bare_capture.hpp"
#include "gmr/model/report.hpp"
#include "gmr/options/options.hpp"
#include "os/bare_modules.hpp"
#include "os/fatal_errors.hpp"
#include "os/reserved_memory.hpp"
#include "sink/bare_output.hpp"
#include "unwind/bare_walk.hpp"
#include "view/raw_view.hpp"

namespace gmr {

// Reserves what it needs. `write` allocates nothing then, takes no lock that another thread can
// hold for long, and runs nothing of the program's: it works while every other thread is stuck in
// the allocator. Not synchronised: the watchdog uses it.
class raw_report final {
 public:
  raw_report(package software, const settings& set, int capture_signal);

  struct reason {
    std::string_view cause;
    std::uint64_t number = 1;
    std::uint64_t requests = 1;
    std::string_view note;
    bool is_sink_stuck = false;                // it is not written to log_dir then
    const os::fatal_error* failing = nullptr;  // whose thread comes first
    std::string_view what_failed = {};
  };
  void write(const reason& why) noexcept;

 private:
  using clock = std::chrono::steady_clock;

  void draw(views::raw_view& view, const reason& why) noexcept;
  void show_threads(views::raw_view& view, const reason& why, views::raw_end& end) noexcept;
  void show_failing_thread(views::raw_view& view, const reason& why,
                           const os::numbered_thread& which) noexcept;
  void show_some_threads(views::raw_view& view, std::span<const os::numbered_thread> some,
                         pid_t shown_before) noexcept;
  [[nodiscard]] bool walk(const capture::bare_thread& thread, unwind::bare_stack& out) noexcept;
  [[nodiscard]] bool collect_green_threads() noexcept;
  void add_green_thread() noexcept;
  [[nodiscard]] bool walk_fiber(const trace::bare_green_thread& fiber) noexcept;

  const package software_;
  const report_format format_;
  sinks::bare_settings sink_;
  os::bare_modules modules_;
  capture::bare_capturer capturer_;
  analyse::bare_groups groups_;
  os::reserved_memory<capture::bare_thread> threads_{capture::bare_capturer::most_at_once};
  os::reserved_memory<unwind::bare_stack> stacks_{capture::bare_capturer::most_at_once};
  trace::bare_green_thread green_thread_;
  unwind::bare_stack fiber_stack_;
  clock::time_point end_;
};

}  // namespace gmr
