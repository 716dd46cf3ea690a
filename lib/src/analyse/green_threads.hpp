// Groups green threads by stack, batch by batch.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "analyse/socket_list.hpp"
#include "capture/green_threads.hpp"
#include "gmr/model/report.hpp"
#include "symbolize/symbolizer.hpp"
#include "unwind/unwinder.hpp"

namespace gmr::analyse {

// Collects what the capture stage has listed: each different stack once, by program counters or
// logical frames, resolved when the listing is over. One object a report. Groups show at most
// `ids_shown` ids and `names_shown` names (green_thread_groups.hpp). What it is given outlives it.
// Not synchronised.
class green_thread_collector final {
 public:
  green_thread_collector(unwind::unwinder& unwinder, socket_list& sockets, report_list list,
                         group_order order = group_order::suspicious);
  ~green_thread_collector();
  green_thread_collector(green_thread_collector&&) noexcept;

  void take(std::span<const capture::captured_green_thread> batch);
  void take(const green_thread_view& view);
  void take(const green_thread_view& view, const capture::stack_snapshot& copy);

  // Says which frames finish() will ask for.
  void expect(symbolize::symbolizer& symbolizer) const;
  // Resolves the stacks, those that it comes to before the deadline, and makes the groups. Call
  // once.
  [[nodiscard]] green_threads_info finish(symbolize::symbolizer& symbolizer,
                                          std::chrono::steady_clock::time_point deadline =
                                              std::chrono::steady_clock::time_point::max());

 private:
  class implementation;
  std::unique_ptr<implementation> implementation_;
};

}  // namespace gmr::analyse
