// A signal that must not end the process although nothing listens to it.
#include <cerrno>
#include <csignal>
#include <system_error>

#include "section/signal_names.hpp"
#include "trigger/triggers.hpp"

namespace gmr::triggers {
namespace {

// Not SIG_IGN: that would be inherited by programs the service starts. Async-signal-safe.
extern "C" void gmr_nothing_on_signal(int) {}

class ignored_signal final : public trigger {
 public:
  explicit ignored_signal(int signal) : signal_(signal) {
    struct sigaction current{};
    if (::sigaction(signal, nullptr, &current) != 0) fail();
    if ((current.sa_flags & SA_SIGINFO) != 0 || current.sa_handler != SIG_DFL) return;
    struct sigaction nothing{};
    nothing.sa_handler = &gmr_nothing_on_signal;
    nothing.sa_flags = SA_RESTART | SA_ONSTACK;
    if (::sigaction(signal, &nothing, nullptr) != 0) fail();
    installed_ = true;
  }

  ~ignored_signal() override {
    struct sigaction current{};
    if (!installed_ || ::sigaction(signal_, nullptr, &current) != 0) return;
    if ((current.sa_flags & SA_SIGINFO) != 0 || current.sa_handler != &gmr_nothing_on_signal)
      return;
    current.sa_handler = SIG_DFL;
    current.sa_flags = 0;
    ::sigaction(signal_, &current, nullptr);
  }

 private:
  [[noreturn]] void fail() const {
    throw std::system_error(errno, std::generic_category(), sections::signal_name(signal_));
  }

  int signal_;
  bool installed_ = false;
};

}  // namespace

std::unique_ptr<trigger> ignore_signal(int signal) {
  return std::make_unique<ignored_signal>(signal);
}

}  // namespace gmr::triggers
