// The signal as a trigger, through Asio's signal_set. A handler of ours stands in front of Asio's:
// it counts the signals, wakes the thread, and writes into Asio's pipe only while that is one. What
// Asio does not bring in the end, as its descriptors are gone, the count does.
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

#include "model/words.hpp"
#include "os/fork.hpp"
#include "os/signals.hpp"
#include "os/trigger_handler.hpp"
#include "trigger/asio_signals.hpp"
#include "trigger/triggers.hpp"

namespace gmr::triggers {
namespace {

using handler = void (*)(int);

struct sigaction action_of(int signal) {
  struct sigaction current{};
  if (::sigaction(signal, nullptr, &current) != 0)
    throw std::system_error(errno, std::generic_category(), os::signal_name(signal));
  return current;
}

handler handler_of(const struct sigaction& action) noexcept {
  return (action.sa_flags & SA_SIGINFO) == 0 ? action.sa_handler : nullptr;  // nullptr is SIG_DFL
}

bool is_default(const struct sigaction& action) noexcept {
  return (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_DFL;
}

// Asio's handler is not named here, since its name is another in each Boost: it is what the system
// has once Asio has been given a signal. A signal that nobody handles and whose default is to be
// ignored serves to find out, for a few microseconds. nullptr when there is none.
handler find_asio_handler() {
  for (const int unused : {SIGURG, SIGWINCH, SIGCONT}) {
    if (!is_default(action_of(unused))) continue;
    boost::asio::io_context never_runs;
    const boost::asio::signal_set set{never_runs, unused};
    return handler_of(action_of(unused));
  }
  return nullptr;
}

bool is_asio(const struct sigaction& action) {
  const handler who = handler_of(action);
  if (who == SIG_DFL || who == SIG_IGN) return false;
  static const handler asio = find_asio_handler();
  return who == asio;
}

// What handled the signal before us, to be put back.
class saved_action final {
 public:
  explicit saved_action(int signal)
      : signal_(signal), before_(action_of(signal)), was_asio_(is_asio(before_)) {
    if (!is_default(before_) && handler_of(before_) != SIG_IGN && !was_asio_ &&
        !os::is_trigger_handler(before_))
      throw std::system_error(std::make_error_code(std::errc::device_or_resource_busy),
                              os::signal_name(signal) + " is already handled by something else");
  }

  // Calls of the service that the signal interrupts go on, unless a signal_set of its own is there
  // already: then they fail or not as they did.
  void replace() const noexcept {
    os::listen_to_signal(signal_, &held_signal::pass_on, was_asio_ ? before_.sa_flags : SA_RESTART);
  }

  // What was there before is right, unless that would end the process or somebody has installed
  // something else meanwhile. A signal_set of the service's that came later is told by our handler.
  // False where a thread is still in our handler and may write into Asio's pipe.
  [[nodiscard]] bool put_back() const noexcept {
    os::stop_counting();
    const bool service_waits = held_signal::service_waits(signal_);
    struct sigaction now{};
    ::sigaction(signal_, nullptr, &now);
    const bool is_ours = os::is_trigger_handler(now);
    if (is_ours && service_waits && !was_asio_) return true;
    if (is_ours && (service_waits || handler_of(before_) == SIG_IGN))
      ::sigaction(signal_, &before_, nullptr);
    else if (is_ours)
      os::silence_signal(signal_);
    return os::stop_listening();
  }

 private:
  int signal_;
  struct sigaction before_;
  bool was_asio_;
};

// In a forked child nobody would answer. A signal_set of the service's that it goes on using hears
// the signal as ever.
void be_silent_when_forked() {
  static constexpr os::fork_actions when_forked{.in_child = []() noexcept {
    os::stop_counting();
    os::forget_other_threads();
    held_signal::forget_ours();
  }};
  if (!os::on_fork(os::fork_place::trigger_signal, when_forked)) throw std::bad_alloc{};
}

class signal_watch final : public trigger, public std::enable_shared_from_this<signal_watch> {
 public:
  signal_watch(event_loop& loop, int signal)
      : loop_(loop),
        signal_(signal),
        cause_(cause_text(cause_kind::signal, os::signal_name(signal))),
        before_(signal),
        held_(std::in_place, signal) {
    be_silent_when_forked();
    before_.replace();
    use_asio();
    if (os::take_early_signal(signal_)) waiting_ = 1;  // before there was anybody to ask
  }

  void wait() {
    const std::lock_guard lock{mutex_};
    if (set_ == nullptr) return;
    set_->async_wait([self = shared_from_this()](const boost::system::error_code& error, int) {
      if (!error) self->arrived();
    });
  }

  // After what Asio has brought: passes on what it has not.
  std::optional<clock::time_point> attend(clock::time_point) override {
    const std::lock_guard lock{mutex_};
    if (stopped_) return std::nullopt;
    waiting_ += os::take_signals();
    const std::uint64_t brought = std::min(waiting_, by_asio_);
    waiting_ -= brought;
    by_asio_ -= brought;
    ahead_of_asio_ += waiting_;
    requests_ += std::exchange(waiting_, 0);
    if (requests_ != 0) os::let_handlers_return();
    return std::nullopt;
  }

  std::uint64_t take_requests() noexcept override {
    const std::lock_guard lock{mutex_};
    return std::exchange(requests_, 0);
  }
  const std::string& cause() const noexcept override { return cause_; }

  void stop() noexcept override {
    const std::lock_guard lock{mutex_};
    if (stopped_) return;
    stopped_ = true;
    requests_ = 0;
    if (set_ != nullptr) {
      if (loop_.is_lost()) leave_behind(set_);
      held_signal::stop_listening(signal_);
      set_.reset();
    }
    if (!before_.put_back()) loop_.lose();
    if (held_signal::service_waits(signal_)) held_->keep();
    held_.reset();
  }

 private:
  // Where Asio can't open its pipe the count does it alone.
  void use_asio() try {
    if (loop_.is_lost()) return;
    set_ = std::make_unique<boost::asio::signal_set>(loop_.context(), signal_);
    held_signal::listen(signal_);
  } catch (const boost::system::system_error&) {
  }

  void arrived() {
    {
      const std::lock_guard lock{mutex_};
      if (stopped_) return;
      if (ahead_of_asio_ != 0) {
        --ahead_of_asio_;
      } else {
        ++requests_;
        ++by_asio_;
      }
    }
    wait();
  }

  event_loop& loop_;
  const int signal_;
  const std::string cause_;
  std::mutex mutex_;
  saved_action before_;
  std::optional<held_signal> held_;               // empty once stopped
  std::unique_ptr<boost::asio::signal_set> set_;  // null where the loop was lost at the beginning
  std::uint64_t requests_ = 0;                    // that were not taken yet
  std::uint64_t waiting_ = 0;                     // signals that were counted and not passed on yet
  std::uint64_t by_asio_ = 0;                     // that Asio has brought and were not counted yet
  std::uint64_t ahead_of_asio_ = 0;  // that were passed on before Asio has brought them
  bool stopped_ = false;
};

}  // namespace

std::shared_ptr<trigger> watch_signal(event_loop& loop, int signal) {
  auto watch = std::make_shared<signal_watch>(loop, signal);
  watch->wait();
  return watch;
}

}  // namespace gmr::triggers
