// A touched file as a trigger, polled with a steady_timer. A file system that hangs in stat holds
// the executor for as long.
#include <algorithm>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <mutex>
#include <optional>
#include <utility>

#include "trigger/file_state.hpp"
#include "trigger/triggers.hpp"

namespace gmr::triggers {
namespace {

constexpr std::chrono::milliseconds shortest_interval{10};

// Shared with the wait that is pending; the mutex serialises the timer, and lets `stop` wait for a
// poll under way.
class file_watch final : public std::enable_shared_from_this<file_watch> {
 public:
  file_watch(boost::asio::any_io_executor executor, std::filesystem::path file,
             std::chrono::milliseconds interval, request_report request, say log)
      : executor_(executor),
        cause_("file " + file.string() + " touched"),
        interval_(std::max(interval, shortest_interval)),
        request_(std::move(request)),
        log_(std::move(log)),
        state_(std::move(file)),
        timer_(std::in_place, executor) {}

  void start() {
    const std::lock_guard lock{mutex_};
    tell(state_.poll());
    wait();
  }

  void rearm() {
    const std::lock_guard lock{mutex_};
    if (timer_) wait();
  }

  void stop() noexcept {
    const std::lock_guard lock{mutex_};
    timer_.reset();
  }

 private:
  void wait() {
    timer_->expires_after(interval_);
    timer_->async_wait(boost::asio::bind_executor(
        executor_, [self = shared_from_this()](const boost::system::error_code& error) {
          if (!error) self->look();
        }));
  }

  void look() {
    const std::lock_guard lock{mutex_};
    if (!timer_) return;
    wait();
    tell(state_.poll());
  }

  // Either callback may destroy the trigger.
  void tell(const file_state::change& seen) {
    if (!seen.message.empty()) log_(seen.message);
    if (seen.touched && timer_) request_(cause_);
  }

  boost::asio::any_io_executor executor_;
  const std::string cause_;
  const std::chrono::milliseconds interval_;
  request_report request_;
  say log_;
  std::recursive_mutex mutex_;
  file_state state_;
  std::optional<boost::asio::steady_timer> timer_;  // empty once stopped
};

class file_trigger final : public trigger {
 public:
  explicit file_trigger(std::shared_ptr<file_watch> watch) : watch_(std::move(watch)) {
    watch_->start();
  }
  ~file_trigger() override { watch_->stop(); }
  void rearm() override { watch_->rearm(); }

 private:
  std::shared_ptr<file_watch> watch_;
};

}  // namespace

std::unique_ptr<trigger> watch_file(boost::asio::any_io_executor executor,
                                    std::filesystem::path file, std::chrono::milliseconds interval,
                                    request_report request, say log) {
  return std::make_unique<file_trigger>(std::make_shared<file_watch>(
      std::move(executor), std::move(file), interval, std::move(request), std::move(log)));
}

}  // namespace gmr::triggers
