// All but catch_fatal_errors and the handler of std::terminate runs in signal handlers of threads
// that may hold any lock: plain data, atomics and system calls.
#include "os/fatal_errors.hpp"

#include <cxxabi.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <new>
#include <span>
#include <typeinfo>

#include "os/bell.hpp"
#include "os/fork.hpp"
#include "os/loader.hpp"

namespace gmr::os {
namespace {

constexpr std::array caught_signals{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

// A word that threads sleep on.
enum fatal_phase : std::uint32_t {
  fatal_off,       // nothing is caught
  fatal_watching,  // nobody has failed yet
  fatal_waiting,   // `error` is complete, and its thread waits
  fatal_over,      // it goes on to its end; nothing is caught any more
};

struct caught_action {
  struct sigaction before{};
  bool is_caught = false;
};

struct fatal_state {
  std::atomic<std::uint32_t> phase{fatal_off};
  std::atomic<pid_t> process{0};
  std::atomic<pid_t> failing{0};  // the first thread that failed
  std::atomic<pid_t> writer{0};
  std::atomic<pid_t> maker{0};
  std::atomic<bool> maker_failed{false};
  std::atomic<bool> writer_failed{false};
  std::array<caught_action, caught_signals.size()> actions;
  std::terminate_handler terminate_before = nullptr;
  std::chrono::milliseconds longest{0};
  fatal_error error;
};
constinit fatal_state state;

pid_t own_thread_id() noexcept {
  return static_cast<pid_t>(::syscall(SYS_gettid));
}

bool is_phase(fatal_phase phase) noexcept {
  return state.phase.load() == phase;
}

void end_phase(fatal_phase from) noexcept {
  std::uint32_t expected = from;
  if (!state.phase.compare_exchange_strong(expected, fatal_over)) return;
  ::syscall(SYS_futex, &state.phase, FUTEX_WAKE_PRIVATE, INT32_MAX, nullptr, nullptr, 0);
  ring_bell();
}

timespec monotonic_now() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now;
}

void wait_while(fatal_phase phase, std::chrono::milliseconds longest) noexcept {
  timespec end = monotonic_now();
  end.tv_sec += static_cast<std::time_t>(longest.count() / 1000) + 1;
  while (is_phase(phase) && monotonic_now().tv_sec < end.tv_sec)
    ::syscall(SYS_futex, &state.phase, FUTEX_WAIT_BITSET_PRIVATE, phase, &end, nullptr,
              FUTEX_BITSET_MATCH_ANY);
}

void sleep_for(std::chrono::nanoseconds time) noexcept {
  constexpr std::int64_t second = 1'000'000'000;
  const timespec wanted{static_cast<std::time_t>(time.count() / second),
                        static_cast<long>(time.count() % second)};
  ::syscall(SYS_nanosleep, &wanted, nullptr);
}

// A process that was made by vfork shares this memory, and must change nothing in it.
bool is_own_process() noexcept {
  return ::getpid() == state.process.load();
}

// That thread ends the process, unless an earlier handler knows better.
void let_first_end(bool at_once) noexcept {
  while (is_phase(fatal_watching))
    sleep_for(std::chrono::nanoseconds{1'000'000});
  if (at_once) end_phase(fatal_waiting);
  ring_bell();
  wait_while(fatal_waiting, state.longest);
  sleep_for(std::chrono::seconds{2});
}

// Whether the caller is the thread that is reported on. Others that fail wait until it has ended.
bool claim_failure(pid_t self) noexcept {
  if (!is_own_process()) return false;
  if (is_phase(fatal_off) || is_phase(fatal_over)) return false;
  const bool is_writer = self == state.writer.load();
  pid_t first = 0;
  if (!is_writer && state.failing.compare_exchange_strong(first, self)) return true;
  // The text of an exception may itself be what fails.
  if (first == self) return is_phase(fatal_watching);
  if (is_writer) state.writer_failed.store(true);
  if (self == state.maker.load()) state.maker_failed.store(true);
  if (is_writer && state.failing.load() == 0) return false;
  let_first_end(is_writer);
  return false;
}

// `error` is complete but for the registers.
void wait_for_reports(const ucontext_t& where) noexcept {
  fatal_error& error = state.error;
  error.thread = state.failing.load();
  arch::save_registers(error.registers, where);
  if (error.thread == state.maker.load()) state.maker_failed.store(true);
  std::uint32_t watching = fatal_watching;
  if (!state.phase.compare_exchange_strong(watching, fatal_waiting)) return;  // it has just ended
  ring_bell();
  if (!state.writer_failed.load()) wait_while(fatal_waiting, state.longest);
  end_phase(fatal_waiting);
}

extern "C" void gmr_fatal_handler(int signal, siginfo_t* info, void* context);

bool is_ours(const struct sigaction& action) noexcept {
  return (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == &gmr_fatal_handler;
}

bool is_same_action(const struct sigaction& one, const struct sigaction& other) noexcept {
  return (one.sa_flags & SA_SIGINFO) == (other.sa_flags & SA_SIGINFO) &&
         one.sa_handler == other.sa_handler;
}

void put_back_actions() noexcept {
  for (std::size_t i = 0; i < caught_signals.size(); ++i) {
    if (!state.actions[i].is_caught) continue;
    struct sigaction now{};
    if (::sigaction(caught_signals[i], nullptr, &now) == 0 && is_ours(now))
      ::sigaction(caught_signals[i], &state.actions[i].before, nullptr);
  }
}

// It arrives when the handler returns, as the signal is blocked until then: in the very place, and
// with all that the first one said. Where that is refused, or nobody listens, a fault comes by
// itself when its instruction is carried out again.
void send_again(int signal, siginfo_t info) noexcept {
  const pid_t self = own_thread_id();
  if (::syscall(SYS_rt_tgsigqueueinfo, ::getpid(), self, signal, &info) == 0) return;
  if (info.si_code <= 0) ::syscall(SYS_tgkill, ::getpid(), self, signal);
}

// A handler that came after ours calls us as the one before it: we do the same.
void call_earlier(const struct sigaction& before, int signal, siginfo_t* info, void* context) {
  if ((before.sa_flags & SA_SIGINFO) != 0) return before.sa_sigaction(signal, info, context);
  if (before.sa_handler == SIG_IGN) return;
  if (before.sa_handler != SIG_DFL) return before.sa_handler(signal);
  ::sigaction(signal, &before, nullptr);
  send_again(signal, *info);
}

void pass_on(int signal, siginfo_t* info, void* context) {
  const auto* const found = std::ranges::find(caught_signals, signal);
  const caught_action& caught =
      state.actions[static_cast<std::size_t>(found - caught_signals.begin())];
  struct sigaction now{};
  ::sigaction(signal, nullptr, &now);
  put_back_actions();
  if (is_ours(now) || is_same_action(now, caught.before))
    send_again(signal, *info);
  else
    call_earlier(caught.before, signal, info, context);
}

extern "C" void gmr_fatal_handler(int signal, siginfo_t* info, void* context) {
  const int saved = errno;
  if (claim_failure(own_thread_id())) {
    fatal_error& error = state.error;
    error.signal = signal;
    error.code = info->si_code;
    if (error.is_fault())
      error.address = reinterpret_cast<std::uintptr_t>(info->si_addr);
    else
      error.sender = info->si_pid;
    wait_for_reports(*static_cast<const ucontext_t*>(context));
  }
  pass_on(signal, info, context);
  errno = saved;
}

void copy_text(std::span<char> to, const char* text) noexcept {
  if (text == nullptr) return;
  std::copy_n(text, std::min(std::strlen(text), to.size() - 1), to.data());
}

// What libstdc++'s own handler finds out by throwing the exception once more, from the type alone:
// nothing is unwound here.
const std::exception* as_standard(const std::type_info& type, const std::exception_ptr& thrown) {
#if defined(__GLIBCXX__)
  void* object = *reinterpret_cast<void* const*>(&thrown);
  if (type.__is_pointer_p()) return nullptr;
  return typeid(std::exception).__do_catch(&type, &object, 1)
             ? static_cast<const std::exception*>(object)
             : nullptr;
#else
  return nullptr;
#endif
}

void describe_exception(fatal_error& error) noexcept {
  const std::type_info* const type = abi::__cxa_current_exception_type();
  if (type == nullptr) return;
  copy_text(error.exception_type, type->name());
  const std::exception_ptr thrown = std::current_exception();
  if (const std::exception* const known = as_standard(*type, thrown))
    copy_text(error.exception_text, known->what());
}

[[noreturn]] void terminate_with_report() {
  if (claim_failure(own_thread_id())) {
    describe_exception(state.error);
    ucontext_t here{};
    ::getcontext(&here);
    wait_for_reports(here);
  }
  put_back_actions();
  const std::terminate_handler before = state.terminate_before;
  std::set_terminate(before);
  if (before != nullptr) before();
  std::abort();
}

void catch_signal_at(std::size_t at, int open_signal) noexcept {
  caught_action& caught = state.actions[at];
  caught.is_caught = false;
  if (::sigaction(caught_signals[at], nullptr, &caught.before) != 0) return;
  if ((caught.before.sa_flags & SA_SIGINFO) == 0 && caught.before.sa_handler == SIG_IGN) return;
  struct sigaction ours{};
  ours.sa_sigaction = &gmr_fatal_handler;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigfillset(&ours.sa_mask);
  if (open_signal > 0) ::sigdelset(&ours.sa_mask, open_signal);
  caught.is_caught = ::sigaction(caught_signals[at], &ours, nullptr) == 0;
}

// In a forked child nobody would report.
void forget_in_child() noexcept {
  if (is_phase(fatal_off)) return;
  put_back_actions();
  if (std::get_terminate() == &terminate_with_report) std::set_terminate(state.terminate_before);
  state.phase.store(fatal_off);
  state.process.store(0);
}

}  // namespace

void catch_fatal_errors(int open_signal, std::chrono::milliseconds longest) {
  static constexpr fork_actions when_forked{.in_child = forget_in_child};
  if (!on_fork(fork_place::fatal_errors, when_forked)) throw std::bad_alloc{};
  keep_loaded(reinterpret_cast<const void*>(&gmr_fatal_handler));
  state.error = {};
  state.failing.store(0);
  state.maker_failed.store(false);
  state.writer_failed.store(false);
  state.longest = longest;
  state.process.store(::getpid());
  state.phase.store(fatal_watching);
  for (std::size_t i = 0; i < caught_signals.size(); ++i)
    catch_signal_at(i, open_signal);
  state.terminate_before = std::set_terminate(&terminate_with_report);
}

void stop_catching_fatal_errors() noexcept {
  if (is_phase(fatal_off) || !is_own_process()) return;
  put_back_actions();
  if (std::get_terminate() == &terminate_with_report) std::set_terminate(state.terminate_before);
  end_phase(fatal_watching);
  end_phase(fatal_waiting);
  state.writer.store(0);
  state.maker.store(0);
}

const fatal_error* present_fatal_error() noexcept {
  return is_phase(fatal_waiting) && is_own_process() ? &state.error : nullptr;
}

void release_failing_thread() noexcept {
  end_phase(fatal_waiting);
}

void writes_raw_reports() noexcept {
  state.writer.store(own_thread_id());
}

void makes_whole_reports() noexcept {
  state.maker.store(own_thread_id());
}

bool has_maker_failed() noexcept {
  return state.maker_failed.load();
}

}  // namespace gmr::os
