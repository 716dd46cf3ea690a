// Turns requests into reports, one at a time, and answers those that come meanwhile together.
#pragma once

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/strand.hpp>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "gmr/model/counters.hpp"
#include "reporter/own_thread.hpp"
#include "reporter/progress.hpp"
#include "reporter/report_limiter.hpp"
#include "reporter/report_maker.hpp"
#include "reporter/report_statistics.hpp"

namespace gmr {

// A duty of the reporter's thread, which makes the reports, or sees to it that an executor of the
// service's does. Safe to use from any thread; nothing is allocated while the lock is held, so that
// a thread that is stuck in the allocator does not hold it.
class report_queue final : public duty, public std::enable_shared_from_this<report_queue> {
 public:
  // May say by `delivery_failed` that the report is nowhere.
  using deliver = std::function<void(const report&)>;

  // The least time between the end of a report and the start of the next that triggers ask for:
  // signals that arrived meanwhile are collected first, and the service gets to breathe.
  static constexpr std::chrono::milliseconds shortest_pause{50};
  static constexpr std::chrono::milliseconds longest_pause{1000};

  // Different ones that clients of the socket wait for. Who has gone meanwhile is not known here.
  static constexpr std::size_t most_shapes = 16;

  // After the last report of several.
  static constexpr std::chrono::milliseconds usual_rest{10'000};

  struct settings {
    // Where reports are made; empty: on the thread whose duty this is.
    boost::asio::any_io_executor executor = {};
    std::chrono::milliseconds rest_after = usual_rest;
    std::size_t automatic_per_minute = 0;  // 0: no limit
    std::chrono::milliseconds fatal_deadline{1000};
  };

  // To be added to the duties of `thread`, which must live as long.
  report_queue(own_thread& thread, std::unique_ptr<report_maker> maker, deliver to_sink,
               const settings& set);

  // For the watchdog, which must not outlive the queue.
  [[nodiscard]] reporting_progress& progress() noexcept { return progress_; }
  [[nodiscard]] report_statistics& statistics() noexcept { return statistics_; }

  // Asks for a report on the sink.
  void request(std::string cause, report_cause kind = report_cause::request);
  // The same for what nobody asked for; false when it is refused.
  bool request_automatic(std::string cause, report_cause kind = report_cause::automatic);
  // Asks for a report to be returned, without waiting for the pause.
  [[nodiscard]] std::future<report> make(std::string cause);

  // The same for who waits on a thread of the library's and wants it in that shape; none: as the
  // options say. The pause is waited for, as who asks so is not the service itself. Throws
  // std::logic_error where too many different ones are waited for.
  [[nodiscard]] std::future<std::shared_ptr<const report>> make_for_socket(
      std::string cause, std::optional<report_shape> shape);

  // For who delivers, meanwhile.
  void delivery_failed() noexcept { delivery_failed_ = true; }

  // No report is made after it returns. A report that is being made is finished first, and with
  // `also_waiting` those that were asked for too.
  void stop(bool also_waiting) noexcept;
  // After `stop`: the maker goes, and the capture signal's handler with it. Nobody may send that
  // signal any more.
  void release_maker() noexcept;

  // Whether this is the thread that makes reports.
  [[nodiscard]] bool is_here() const noexcept;

  [[nodiscard]] std::optional<clock::time_point> attend(clock::time_point now) override;

 private:
  using strand = boost::asio::strand<boost::asio::any_io_executor>;

  // Requests that the next report answers.
  struct batch {
    std::array<std::string, 4> causes;  // different ones, the first few
    bool has_others = false;
    std::uint64_t count = 0;
    std::uint64_t to_sink = 0;
    std::uint64_t refused = 0;  // automatic ones, which it does not answer
    cause_set kinds;
    std::list<std::promise<report>> callers;
    std::list<std::promise<std::shared_ptr<const report>>> sockets;
    std::optional<report_shape> shape;

    void add(std::string&& cause, report_cause kind) noexcept;
    void give(report&& made) noexcept;
    [[nodiscard]] std::string cause() const;
    [[nodiscard]] bool is_fatal() const noexcept {
      return kinds.test(static_cast<std::size_t>(report_cause::fatal_error));
    }
  };

  [[nodiscard]] bool is_waited_for() const noexcept {  // with mutex_ held
    return waiting_.count != 0 || !shaped_.empty();
  }
  // With mutex_ held; the node that `taken` gets is to be freed without.
  [[nodiscard]] batch take_next(std::list<batch>& taken) noexcept;
  [[nodiscard]] bool is_due(clock::time_point now) const noexcept;  // with mutex_ held
  void run() noexcept;
  [[nodiscard]] std::optional<report> answer(const batch& asked) noexcept;
  void rest() noexcept;

  own_thread& thread_;
  // Where reports are made, one at a time: over the service's executor, or the thread's event loop.
  // None where that was lost from the beginning: then the thread makes them without.
  std::optional<strand> strand_;
  bool is_on_loop_ = true;
  std::unique_ptr<report_maker> maker_;  // used where reports are made only
  deliver to_sink_;
  const std::chrono::milliseconds rest_after_;
  const std::chrono::milliseconds fatal_deadline_;

  reporting_progress progress_;
  report_statistics statistics_;
  bool delivery_failed_ = false;  // used where reports are made only
  std::mutex mutex_;
  std::condition_variable idle_;
  batch waiting_;
  std::list<batch> shaped_;      // those that want another shape than the options say
  bool has_made_usual_ = false;  // the last report was none of those
  report_limiter limiter_;
  bool posted_ = false;  // to the executor
  bool running_ = false;
  bool stopped_ = false;
  clock::time_point not_before_{};
  std::optional<clock::time_point> rest_at_;
};

}  // namespace gmr
