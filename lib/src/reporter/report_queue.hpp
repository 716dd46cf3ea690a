// Turns requests into reports, one at a time on a strand, and answers those that come meanwhile
// together.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "reporter/report_maker.hpp"

namespace gmr {

// Safe to use from any thread.
class report_queue final : public std::enable_shared_from_this<report_queue> {
 public:
  using strand = boost::asio::strand<boost::asio::any_io_executor>;
  using deliver = std::function<void(const report&)>;

  // The least time between the end of a report and the start of the next that triggers ask for:
  // signals that arrived meanwhile are collected first, and the service gets to breathe.
  static constexpr std::chrono::milliseconds shortest_pause{50};
  static constexpr std::chrono::milliseconds longest_pause{1000};

  // After the last report of several.
  static constexpr std::chrono::milliseconds usual_rest{10'000};

  report_queue(strand where, std::unique_ptr<report_maker> maker, deliver to_sink,
               std::chrono::milliseconds rest_after = usual_rest);

  // Asks for a report on the sink.
  void request(std::string cause);
  // Asks for a report to be returned, without waiting for the pause.
  [[nodiscard]] std::future<report> make(std::string cause);

  // No report is made after it returns, and the maker is gone. A report that is being made is
  // finished first, and with `also_waiting` those that were asked for too.
  void stop(bool also_waiting) noexcept;

  // Whether this is the thread that makes reports.
  [[nodiscard]] bool on_strand() const noexcept { return strand_.running_in_this_thread(); }

 private:
  // Requests that the next report answers.
  struct batch {
    std::vector<std::string> causes;  // different ones, the first few
    bool has_others = false;
    std::uint64_t count = 0;
    bool to_sink = false;
    std::vector<std::promise<report>> callers;

    void add(std::string cause);
    [[nodiscard]] std::string cause() const;
  };

  void schedule(bool at_once);  // with mutex_ held
  void run() noexcept;
  void answer(batch& asked) noexcept;
  void go_on() noexcept;  // with mutex_ held
  void rest_later();      // with mutex_ held
  void rest() noexcept;

  strand strand_;
  std::unique_ptr<report_maker> maker_;  // used on the strand only
  deliver to_sink_;

  std::mutex mutex_;
  std::condition_variable idle_;
  batch waiting_;
  bool scheduled_ = false;  // a run is posted or the pause is under way
  bool running_ = false;
  bool stopped_ = false;
  std::uint64_t made_ = 0;
  std::chrono::steady_clock::time_point not_before_{};
  boost::asio::steady_timer pause_;
  const std::chrono::milliseconds rest_after_;
  boost::asio::steady_timer rest_;
};

}  // namespace gmr
