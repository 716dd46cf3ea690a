// A touched file as a trigger, polled with a steady_timer. A file system that hangs in stat holds
// the thread for as long.
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <mutex>
#include <utility>

#include "model/words.hpp"
#include "trigger/file_state.hpp"
#include "trigger/triggers.hpp"

namespace gmr::triggers {
namespace {

constexpr std::chrono::milliseconds shortest_interval{10};

// The mutex lets `stop` wait for a poll under way.
class file_watch final : public trigger, public std::enable_shared_from_this<file_watch> {
 public:
  file_watch(event_loop& loop, std::filesystem::path file, std::chrono::milliseconds interval)
      : loop_(loop),
        cause_(cause_text(cause_kind::touched_file, file.string())),
        interval_(std::max(interval, shortest_interval)),
        state_(std::move(file)) {
    poll(clock::now());
    if (!loop_.is_lost()) timer_ = std::make_unique<boost::asio::steady_timer>(loop_.context());
  }

  void wait() {
    const std::lock_guard lock{mutex_};
    if (timer_ == nullptr) return;
    timer_->expires_at(next_);
    timer_->async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) self->expired();
    });
  }

  // The thread is to wake up when the timer has expired. Polls where the timer does not come.
  std::optional<clock::time_point> attend(clock::time_point now) override {
    const std::lock_guard lock{mutex_};
    if (stopped_) return std::nullopt;
    if (timer_ != nullptr && !loop_.is_lost() && now < next_ + longest_delay)
      return std::max(next_, now) + shortest_delay;
    if (now >= next_) poll(now);
    return next_;
  }

  std::uint64_t take_requests() noexcept override {
    const std::lock_guard lock{mutex_};
    return std::exchange(requests_, 0);
  }
  std::string take_message() override {
    const std::lock_guard lock{mutex_};
    return std::exchange(message_, {});
  }
  const std::string& cause() const noexcept override { return cause_; }

  void stop() noexcept override {
    const std::lock_guard lock{mutex_};
    stopped_ = true;
    requests_ = 0;
    if (timer_ != nullptr && loop_.is_lost()) leave_behind(timer_);
    timer_.reset();
  }

 private:
  // Of the timer, behind its time.
  static constexpr std::chrono::milliseconds shortest_delay{1};
  static constexpr std::chrono::milliseconds longest_delay{100};

  void expired() {
    {
      const std::lock_guard lock{mutex_};
      if (stopped_) return;
      poll(clock::now());
    }
    wait();
  }

  void poll(clock::time_point now) {
    next_ = now + interval_;
    const file_state::change seen = state_.poll();
    if (!seen.message.empty()) message_ = seen.message;
    if (seen.touched) ++requests_;
  }

  event_loop& loop_;
  const std::string cause_;
  const std::chrono::milliseconds interval_;
  std::mutex mutex_;
  std::uint64_t requests_ = 0;
  std::string message_;
  file_state state_;
  clock::time_point next_;
  std::unique_ptr<boost::asio::steady_timer> timer_;  // null where the loop was lost
  bool stopped_ = false;
};

}  // namespace

std::shared_ptr<trigger> watch_file(event_loop& loop, std::filesystem::path file,
                                    std::chrono::milliseconds interval) {
  auto watch = std::make_shared<file_watch>(loop, std::move(file), interval);
  watch->wait();
  return watch;
}

}  // namespace gmr::triggers
