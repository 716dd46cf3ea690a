#include "socket/metrics.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "hook/bare_sources.hpp"
#include "hook/operations/operation_pool.hpp"
#include "hook/operations/pending_operations.hpp"
#include "os/task_files.hpp"
#include "os/task_state.hpp"
#include "text/hex.hpp"
#include "text/printable.hpp"

namespace gmr::sockets {
namespace {

using steady_clock = std::chrono::steady_clock;
using label = std::pair<std::string_view, std::string>;

// Each is copied and sorted to be counted: that takes memory and time.
constexpr std::size_t most_operations = 100'000;
constexpr std::chrono::milliseconds longest_count{100};  // of threads, and of green threads

std::string number_text(double number) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  return {digits.data(), end.ptr};
}

class metric_page final {
 public:
  // Before the samples of that name.
  void describe(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ");
    text_.append(name).append(" ").append(type).append("\n");
  }
  void sample(std::initializer_list<label> labels, const std::string& number,
              std::string_view suffix = {}) {
    text_.append(name_).append(suffix);
    char before = '{';
    for (const auto& [key, content] : labels) {
      text_.append(1, before).append(key).append("=\"");
      append_escaped(content);
      text_.append("\"");
      before = ',';
    }
    text_.append(labels.size() == 0 ? " " : "} ").append(number).append("\n");
  }
  void sample(std::initializer_list<label> labels, std::uint64_t number) {
    sample(labels, std::to_string(number));
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  void append_escaped(std::string_view content) {
    for (const char each : texts::printable(content)) {
      if (each == '\\' || each == '"') text_ += '\\';
      text_ += each;
    }
  }

  std::string text_;
  std::string name_;
};

void show_package(metric_page& page, const package& software) {
  page.describe("gmr_info", "gauge", "The service that reports.");
  page.sample({{"service", software.name}, {"version", software.version}}, 1);
}

// False when there was no time for all.
bool show_threads(metric_page& page) {
  const auto until = steady_clock::now() + longest_count;
  const auto files = std::make_unique<os::task_files>();
  std::map<std::string_view, std::uint64_t> by_state;
  bool is_whole = true;
  for (const pid_t thread : files->list()) {
    is_whole = steady_clock::now() < until;
    if (!is_whole) break;
    if (const auto times = files->times(thread)) ++by_state[os::state_word(times->state)];
  }
  page.describe("gmr_threads", "gauge", "OS threads by state, the reporter's own among them.");
  for (const auto& [state, count] : by_state)
    page.sample({{"state", std::string{state}}}, count);
  return is_whole;
}

bool show_green_threads(metric_page& page) {
  const auto until = steady_clock::now() + longest_count;
  constexpr std::array kinds{green_thread_kind::fiber, green_thread_kind::coroutine};
  constexpr std::array states{green_thread_state::running, green_thread_state::suspended};
  std::map<std::pair<green_thread_kind, green_thread_state>, std::uint64_t> counts;
  const auto one = std::make_unique<trace::bare_green_thread>();
  bool is_whole = true;
  for (const trace::bare_source* const source : trace::bare_sources()) {
    if (source == nullptr) continue;
    for (trace::bare_place at; is_whole && source->next(at, *one);) {
      ++counts[{one->kind, one->state}];
      is_whole = steady_clock::now() < until;
    }
  }
  page.describe("gmr_green_threads", "gauge",
                "Fibers and coroutines by state; those of the service's own schedulers are only in "
                "reports.");
  for (const green_thread_kind kind : kinds)
    for (const green_thread_state state : states)
      page.sample(
          {{"kind", std::string{to_string(kind)}}, {"state", std::string{to_string(state)}}},
          counts[{kind, state}]);
  return is_whole;
}

std::string name_of_loop(const trace::context_load& loop) {
  return texts::hex(reinterpret_cast<std::uintptr_t>(loop.context));
}

// False when there are too many operations, or once were: then they are not counted.
bool show_event_loops(metric_page& page) {
  const auto now = static_cast<std::uint64_t>(
      std::chrono::nanoseconds{steady_clock::now().time_since_epoch()}.count());
  const bool is_counted = trace::operation_record_count() <= most_operations;
  std::vector<trace::context_load> loops;
  if (is_counted) loops = trace::pending_operations{now}.contexts();
  page.describe("gmr_event_loop_queued_handlers", "gauge",
                "Handlers that are ready and have not begun, with gmr::trace_ops.");
  for (const trace::context_load& each : loops)
    page.sample({{"loop", name_of_loop(each)}}, each.queued);
  page.describe("gmr_event_loop_pending_operations", "gauge",
                "Operations that are not complete, with gmr::trace_ops.");
  for (const trace::context_load& each : loops)
    page.sample({{"loop", name_of_loop(each)}}, each.pending);
  page.describe("gmr_event_loop_delay_seconds", "gauge",
                "How long the first queued handler has waited for its turn.");
  for (const trace::context_load& each : loops) {
    const std::uint64_t waited = each.oldest != 0 && now > each.oldest ? now - each.oldest : 0;
    page.sample({{"loop", name_of_loop(each)}}, number_text(static_cast<double>(waited) / 1e9));
  }
  return is_counted;
}

void show_requests(metric_page& page, const report_counters& counters) {
  page.describe("gmr_report_requests_total", "counter", "Requests for reports by cause.");
  for (std::size_t i = 0; i < report_causes; ++i)
    page.sample({{"cause", std::string{to_string(static_cast<report_cause>(i))}}},
                counters.by_cause[i].asked);
  page.describe("gmr_report_requests_refused_total", "counter",
                "Those of them that reports_per_minute refused.");
  for (std::size_t i = 0; i < report_causes; ++i)
    page.sample({{"cause", std::string{to_string(static_cast<report_cause>(i))}}},
                counters.by_cause[i].refused);
}

void show_reports(metric_page& page, const report_counters& counters) {
  page.describe("gmr_reports_total", "counter",
                "Reports by cause and outcome; one that answers several causes counts for each.");
  for (std::size_t i = 0; i < report_causes; ++i) {
    const std::string cause{to_string(static_cast<report_cause>(i))};
    page.sample({{"cause", cause}, {"outcome", "made"}}, counters.by_cause[i].made);
    page.sample({{"cause", cause}, {"outcome", "failed"}}, counters.by_cause[i].failed);
  }
  page.describe("gmr_raw_reports_total", "counter",
                "Raw reports, which are made where the reporter does not come on.");
  page.sample({}, counters.raw);
  const auto seconds = [](std::chrono::nanoseconds time) {
    return number_text(std::chrono::duration<double>(time).count());
  };
  page.describe("gmr_report_duration_seconds", "summary",
                "From the beginning of a report until it was written.");
  page.sample({}, seconds(counters.total_duration), "_sum");
  page.sample({}, std::to_string(counters.all.made + counters.all.failed), "_count");
  page.describe("gmr_report_last_duration_seconds", "gauge", "The same of the last one.");
  page.sample({}, seconds(counters.last_duration));
}

}  // namespace

std::string metrics_of(const package& software, const report_counters& counters) {
  metric_page page;
  show_package(page, software);
  const bool has_all_threads = show_threads(page);
  const bool has_all_green_threads = show_green_threads(page);
  const bool has_all_operations = show_event_loops(page);
  page.describe(
      "gmr_counted_completely", "gauge",
      "0 where there are too many to count them in 0.1 s, of operations more than 100000.");
  page.sample({{"what", "threads"}}, std::uint64_t{has_all_threads});
  page.sample({{"what", "green_threads"}}, std::uint64_t{has_all_green_threads});
  page.sample({{"what", "operations"}}, std::uint64_t{has_all_operations});
  show_requests(page, counters);
  show_reports(page, counters);
  return page.take();
}

}  // namespace gmr::sockets
