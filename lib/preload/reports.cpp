// See reports.hpp. The pipeline is used directly rather than through gmr::reporter: a semaphore in
// memory wakes the thread, so that a forked child shares nothing with its parent (Asio's signal_set
// would have it write into the parent's pipe), and nothing but the signal is taken before the first
// report.
#include "reports.hpp"

#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "capture/blocked_signals.hpp"
#include "capture/signal_action.hpp"
#include "model/words.hpp"
#include "os/announcement.hpp"
#include "os/file_text.hpp"
#include "os/fork.hpp"
#include "os/loader.hpp"
#include "os/signals.hpp"
#include "os/trigger_handler.hpp"
#include "outline/outline.hpp"
#include "reporter/pipeline.hpp"
#include "sink/sink.hpp"
#include "trigger/file_state.hpp"
#include "view/view.hpp"

namespace gmr::preload {
namespace {

constinit sem_t requests;
constinit std::atomic<pid_t> served{0};  // the process that has the thread
constinit std::atomic<bool> stopping{false};
constinit std::atomic<bool> orphaned{false};  // a forked child without a thread
std::thread* server = nullptr;
const settings* chosen = nullptr;

// Async-signal-safe. On any thread, and in a forked child that has nobody to answer.
extern "C" void gmr_preload_requested(int) {
  const int saved = errno;
  sem_post(&requests);
  errno = saved;
}

std::string program_name() {
  const std::string program = os::read_link("/proc/self/exe").content;
  return program.empty() ? program_invocation_short_name : program.substr(program.rfind('/') + 1);
}

class server_loop final {
 public:
  explicit server_loop(const settings& set) : settings_(set) {
    if (!set.file_event_handler.empty()) file_.emplace(set.file_event_handler);
  }

  void run() {
    if (file_) static_cast<void>(touched());
    while (const std::uint64_t count = wait())
      report(count);
  }

 private:
  // How many requests there are, at least one; none: the process ends.
  std::uint64_t wait() {
    for (;;) {
      const bool woken = file_ ? wait_a_while() : sem_wait(&requests) == 0;
      if (stopping.load()) return 0;
      if (file_ && touched()) return 1;
      if (!woken || file_) continue;
      std::uint64_t count = 1;
      while (sem_trywait(&requests) == 0)
        ++count;
      return count;
    }
  }

  bool wait_a_while() {
    timespec until{};
    clock_gettime(CLOCK_MONOTONIC, &until);
    constexpr long second = 1'000'000'000;
    const auto interval = settings_.file_event_handler_interval.count();
    until.tv_sec += interval / 1000;
    until.tv_nsec += interval % 1000 * 1'000'000;
    until.tv_sec += until.tv_nsec / second;
    until.tv_nsec %= second;
    return sem_clockwait(&requests, CLOCK_MONOTONIC, &until) == 0;
  }

  bool touched() {
    const auto change = file_->poll();
    if (!change.message.empty()) sinks::say(change.message);
    return change.touched;
  }

  void report(std::uint64_t count) try {
    if (!pipeline_) make_pipeline();
    const std::string cause =
        file_ ? cause_text(cause_kind::touched_file, settings_.file_event_handler.string())
              : cause_text(cause_kind::signal, os::signal_name(settings_.signal));
    const gmr::report made =
        pipeline_->make({.cause = cause, .number = ++number_, .coalesced = count});
    const sinks::file_name name{
        .service = made.package.name,
        .time = made.time,
        .number = made.number,
        .extension = settings_.format == report_format::json ? "json" : "txt"};
    const std::string bytes = views::render(outlines::arrange(made), settings_.format);
    const std::string error = sinks::write({.log_dir = settings_.log_dir}, name, bytes);
    if (!error.empty()) sinks::say("report " + std::to_string(number_) + ": " + error);
  } catch (const std::exception& error) {
    sinks::say("no report:", error.what());
  }

  // The capture signal is chosen now, when the program has long taken those it needs.
  void make_pipeline() {
    pipeline_ = std::make_unique<pipeline>(
        package{.name = program_name(), .version = {}, .vendor = {}, .revision = {}}, settings_,
        configuration_, sections_, facts::built_program::elsewhere);
    sigset_t open;
    sigemptyset(&open);
    if (pipeline_->capture_signal() > 0) sigaddset(&open, pipeline_->capture_signal());
    pthread_sigmask(SIG_UNBLOCK, &open, nullptr);
  }

  const settings settings_;
  known_configuration configuration_;
  sections::section_registry sections_;
  std::unique_ptr<pipeline> pipeline_;
  std::optional<triggers::file_state> file_;
  std::uint64_t number_ = 0;
};

// Never lets an exception out: that would end the program.
void serve() {
  constexpr std::chrono::seconds pause{1};
  std::optional<server_loop> loop;
  for (;;) {
    try {
      if (!loop) loop.emplace(*chosen);
      loop->run();
      return;
    } catch (const std::exception& error) {  // no memory
      sinks::say("reports have to wait:", error.what());
    }
    std::this_thread::sleep_for(pause);
  }
}

void start_thread() {
  const capture::blocked_signals born_with;
  server = new std::thread{[] {
    pthread_setname_np(pthread_self(), "gmr-reporter");
    serve();
  }};
}

void announce() {
  const bool by_signal = chosen->file_event_handler.empty();
  os::announce({.signal = by_signal ? chosen->signal : 0,
                .service = program_name(),
                .socket = {},
                .log_dir = chosen->log_dir.string()});
}

// At exit: finishes a report that is being made. Not in a child that has no thread.
void stop_thread() {
  if (served.load() != getpid() || server->get_id() == std::this_thread::get_id()) return;
  stopping.store(true);
  sem_post(&requests);
  server->join();
}

// Returns what was done about it before.
struct sigaction take_signal(int signal) {
  struct sigaction before{};
  if (::sigaction(signal, nullptr, &before) != 0)
    throw std::system_error(errno, std::generic_category(), os::signal_name(signal));
  const bool handled = (before.sa_flags & SA_SIGINFO) != 0 ||
                       (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN &&
                        !os::is_trigger_handler(before));
  if (handled) throw std::runtime_error{os::signal_name(signal) + " is already handled"};
  struct sigaction action{};
  action.sa_handler = &gmr_preload_requested;
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  ::sigaction(signal, &action, nullptr);
  return before;
}

// In the child; async-signal-safe. Its parent's requests are not its own.
void forked() noexcept {
  sem_init(&requests, 0, 0);
  stopping.store(false);
  orphaned.store(true);
}

}  // namespace

void start_reports(const settings& set) {
  static_cast<void>(os::static_tls_size());  // now, where nobody can hold the loader's lock
  auto* const kept = new settings{set};      // for ever: forked children use it too
  if (kept->signal == 0) kept->signal = SIGUSR2;
  if (!kept->socket.empty()) sinks::say("nobody can ask on a socket: libgmr_preload.so has none");
  sem_init(&requests, 0, 0);
  const bool by_signal = kept->file_event_handler.empty();
  struct sigaction before{};
  if (by_signal) before = take_signal(kept->signal);
  chosen = kept;
  served.store(getpid());
  try {
    start_thread();
    announce();
  } catch (...) {
    if (by_signal) ::sigaction(kept->signal, &before, nullptr);  // or it would be swallowed
    throw;
  }
  static constexpr os::fork_actions when_forked{.in_child = forked};
  os::on_fork(os::fork_place::preload_reports, when_forked);
  std::atexit(stop_thread);
}

// Tried again at the next fiber where there can be no thread now. The parent's is left alone: to
// join it would be to wait for a thread that does not exist.
void continue_reports() noexcept {
  if (!orphaned.load(std::memory_order_relaxed) || !orphaned.exchange(false)) return;
  try {
    start_thread();
    announce();
    served.store(getpid());
    return;
  } catch (const std::exception& error) {
    static constinit std::atomic_flag said;
    if (!said.test_and_set()) sinks::say("no reports in this process yet:", error.what());
  }
  orphaned.store(true);
}

}  // namespace gmr::preload
