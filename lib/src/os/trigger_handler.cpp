#include "os/trigger_handler.hpp"

#include <atomic>
#include <cerrno>
#include <ctime>

#include "os/bell.hpp"
#include "os/loader.hpp"

namespace gmr::os {
namespace {

constexpr int most_signals = 64;

constinit std::atomic<std::uint64_t> early{0};  // a bit for each signal
constinit std::atomic<bool> collects{true};
constinit std::atomic<int> heard{0};  // the signal that is listened to; 0: none
constinit std::atomic<signal_handler> called_also{nullptr};
constinit std::atomic<std::uint64_t> waiting{0};  // signals
constinit std::atomic<int> inside{0};             // threads in the handler
constinit std::atomic<int> in_called{0};          // threads in what it calls

std::uint64_t bit(int signal) noexcept {
  return signal >= 1 && signal <= most_signals
             ? std::uint64_t{1} << static_cast<unsigned>(signal - 1)
             : 0;
}

// Counted first and looked up then: once `called_also` is null and nobody is counted, nobody calls.
// Async-signal-safe.
void call_also(int signal) noexcept {
  in_called.fetch_add(1);
  if (const signal_handler also = called_also.load(); also != nullptr) also(signal);
  in_called.fetch_sub(1);
}

// Returns whether the number was 0 within so many tenths of a millisecond.
bool becomes_zero(const std::atomic<int>& number, int most_looks) noexcept {
  constexpr timespec between_looks{.tv_sec = 0, .tv_nsec = 100'000};
  for (int i = 0; i < most_looks && number.load() > 0; ++i)
    ::nanosleep(&between_looks, nullptr);
  return number.load() == 0;
}

// Async-signal-safe.
extern "C" void gmr_trigger_handler(int signal) {
  const int saved = errno;
  inside.fetch_add(1);
  const bool is_heard = signal == heard.load();
  if (is_heard)
    waiting.fetch_add(1);
  else if (collects.load())
    early.fetch_or(bit(signal));
  call_also(signal);
  if (is_heard) ring_bell();
  inside.fetch_sub(1);
  errno = saved;
}

// What is blocked while the handler runs, for no other reason than to be known by it: a plug-in may
// have a copy of the library, and with it a handler, of its own.
constexpr bool is_in_mark(int signal) noexcept {
  return signal == 58 || signal == 60 || signal == 61;
}

bool is_mark(const sigset_t& blocked) noexcept {
  for (int signal = 1; signal <= most_signals; ++signal)
    if ((sigismember(&blocked, signal) == 1) != is_in_mark(signal)) return false;
  return true;
}

bool install(int signal, int flags) noexcept {
  struct sigaction ours{};
  ours.sa_handler = &gmr_trigger_handler;
  ours.sa_flags = flags | SA_ONSTACK;
  for (int each = 1; each <= most_signals; ++each)
    if (is_in_mark(each)) sigaddset(&ours.sa_mask, each);
  // A plug-in that has this copy of the library may be closed while the handler is there.
  keep_loaded(reinterpret_cast<const void*>(&gmr_trigger_handler));
  return ::sigaction(signal, &ours, nullptr) == 0;
}

[[gnu::constructor]] void catch_default_signal() noexcept {
  static_cast<void>(catch_signal(SIGUSR2));
}

}  // namespace

bool catch_signal(int signal) noexcept {
  struct sigaction current{};
  if (::sigaction(signal, nullptr, &current) != 0) return false;
  if ((current.sa_flags & SA_SIGINFO) != 0 || current.sa_handler != SIG_DFL) return true;
  return install(signal, SA_RESTART);
}

bool is_trigger_handler(const struct sigaction& action) noexcept {
  if ((action.sa_flags & SA_SIGINFO) != 0) return false;
  return action.sa_handler == &gmr_trigger_handler ||
         (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN && is_mark(action.sa_mask));
}

void listen_to_signal(int signal, signal_handler also, int flags) noexcept {
  called_also.store(also);
  heard.store(signal);
  install(signal, flags);
}

std::uint64_t take_signals() noexcept {
  return waiting.exchange(0);
}

std::uint64_t waiting_signals() noexcept {
  return waiting.load();
}

void let_handlers_return() noexcept {
  constexpr int most_looks = 200;
  static_cast<void>(becomes_zero(inside, most_looks));
}

void silence_signal(int signal) noexcept {
  stop_counting();
  called_also.store(nullptr);
  install(signal, SA_RESTART);
}

bool stop_listening() noexcept {
  constexpr int most_looks = 10'000;
  stop_counting();
  called_also.store(nullptr);
  return becomes_zero(in_called, most_looks);
}

void stop_counting() noexcept {
  collects.store(false);
  heard.store(0);
  waiting.store(0);
}

void forget_other_threads() noexcept {
  inside.store(0);
  in_called.store(0);
}

bool take_early_signal(int signal) noexcept {
  return (early.fetch_and(~bit(signal)) & bit(signal)) != 0;
}

}  // namespace gmr::os
