// The signal as a trigger, through Asio's signal_set.
#include <pthread.h>

#include <atomic>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/signal_set.hpp>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

#include "section/signal_names.hpp"
#include "trigger/triggers.hpp"

namespace gmr::triggers {
namespace {

using handler = void (*)(int);

struct sigaction action_of(int signal) {
  struct sigaction current{};
  if (::sigaction(signal, nullptr, &current) != 0)
    throw std::system_error(errno, std::generic_category(), sections::signal_name(signal));
  return current;
}

bool handled_by(const struct sigaction& action, handler who) noexcept {
  return (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == who;
}

bool is_default(const struct sigaction& action) noexcept {
  return handled_by(action, SIG_DFL);
}

bool is_asio(const struct sigaction& action) noexcept {
  return handled_by(action, &boost::asio::detail::boost_asio_signal_handler);
}

// What handled the signal before us, to be put back.
class saved_action final {
 public:
  explicit saved_action(int signal) : signal_(signal), before_(action_of(signal)) {
    if (!is_default(before_) && !handled_by(before_, SIG_IGN) && !is_asio(before_))
      throw std::system_error(
          std::make_error_code(std::errc::device_or_resource_busy),
          sections::signal_name(signal) + " is already handled by something else");
  }

  // Asio installs its handler without SA_RESTART: calls of the service that a report interrupts
  // would fail with EINTR. And without SA_ONSTACK: it would run on the small stack of a fiber.
  void soften() const noexcept {
    struct sigaction now{};
    if (is_asio(before_) || ::sigaction(signal_, nullptr, &now) != 0 || !is_asio(now)) return;
    now.sa_flags |= SA_RESTART | SA_ONSTACK;
    ::sigaction(signal_, &now, nullptr);
  }

  [[nodiscard]] bool was_asio() const noexcept { return is_asio(before_); }

  // After the signal_set let go of the signal: Asio leaves the default action behind, whatever was
  // there before. `while_set` is what was installed just before that.
  void put_back(const struct sigaction& while_set) const noexcept {
    struct sigaction now{};
    if (::sigaction(signal_, nullptr, &now) != 0 || !is_default(now)) return;
    const struct sigaction& right = is_asio(while_set) ? before_ : while_set;
    if (!is_asio(right) && !is_default(right)) ::sigaction(signal_, &right, nullptr);
  }

 private:
  int signal_;
  struct sigaction before_;
};

// A forked child has Asio's handler, and with it the pipe to its parent, which would report for it.
// One of its own that does nothing is right: no thread of it makes reports, to ignore the signal
// would go on in programs that it executes, and by default the signal would end it.
class forked_children final {
 public:
  static void watch(int signal) {
    static const int registered = ::pthread_atfork(nullptr, nullptr, silence);
    if (registered != 0)
      throw std::system_error(registered, std::generic_category(), "pthread_atfork");
    watched_.store(signal);
  }
  static void unwatch() noexcept { watched_.store(0); }

 private:
  // In the child; async-signal-safe.
  static void silence() noexcept {
    const int signal = watched_.load();
    struct sigaction action{};
    if (signal == 0 || ::sigaction(signal, nullptr, &action) != 0 || !is_asio(action)) return;
    action.sa_handler = [](int) {};
    ::sigaction(signal, &action, nullptr);
  }

  static constinit std::atomic<int> watched_;  // there is one reporter in a process; 0: none
};
constinit std::atomic<int> forked_children::watched_{0};

// Shared with the wait that is pending; the mutex serialises the signal_set, and lets `stop` wait
// for a request that is being passed on.
class signal_watch final : public std::enable_shared_from_this<signal_watch> {
 public:
  signal_watch(boost::asio::any_io_executor executor, int signal, request_report request)
      : executor_(executor),
        signal_(signal),
        request_(std::move(request)),
        before_(signal),
        set_(std::in_place, executor, signal) {
    before_.soften();
    if (!before_.was_asio()) forked_children::watch(signal);  // else it is the service's, too
  }

  void wait() {
    const std::lock_guard lock{mutex_};
    if (!set_) return;
    set_->async_wait(boost::asio::bind_executor(
        executor_, [self = shared_from_this()](const boost::system::error_code& error, int) {
          if (!error) self->arrived();
        }));
  }

  void rearm() {
    const std::lock_guard lock{mutex_};
    if (!set_) return;
    set_->cancel();
    wait();
  }

  void stop() noexcept {
    const std::lock_guard lock{mutex_};
    if (!set_) return;
    struct sigaction while_set{};
    ::sigaction(signal_, nullptr, &while_set);
    forked_children::unwatch();
    set_.reset();
    before_.put_back(while_set);
  }

 private:
  void arrived() {
    const std::lock_guard lock{mutex_};
    if (!set_) return;
    wait();
    request_("signal " + sections::signal_name(signal_));
  }

  boost::asio::any_io_executor executor_;
  const int signal_;
  request_report request_;
  std::recursive_mutex mutex_;  // a request may destroy the trigger
  saved_action before_;
  std::optional<boost::asio::signal_set> set_;
};

class signal_trigger final : public trigger {
 public:
  explicit signal_trigger(std::shared_ptr<signal_watch> watch) : watch_(std::move(watch)) {
    watch_->wait();
  }
  ~signal_trigger() override { watch_->stop(); }
  void rearm() override { watch_->rearm(); }

 private:
  std::shared_ptr<signal_watch> watch_;
};

}  // namespace

std::unique_ptr<trigger> watch_signal(boost::asio::any_io_executor executor, int signal,
                                      request_report request) {
  return std::make_unique<signal_trigger>(
      std::make_shared<signal_watch>(std::move(executor), signal, std::move(request)));
}

}  // namespace gmr::triggers
