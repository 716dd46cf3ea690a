#include "reporter/watchdog.hpp"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <optional>
#include <utility>

#include "capture/blocked_signals.hpp"
#include "gmr/trace/enroll.hpp"
#include "os/bell.hpp"
#include "os/fatal_errors.hpp"
#include "os/trigger_handler.hpp"

namespace gmr {
namespace {

// A reader that does not read has as long: see sink/sink.hpp.
constexpr std::chrono::seconds patience_with_readers{40};

// While it lives, the calling thread blocks the signals of fatal errors; a thread made meanwhile is
// born with that. Who writes the raw report must not be the one that such a signal is sent to: it
// could not report on itself. What the thread does wrong itself ends the process all the same.
class blocked_fatal_signals final {
 public:
  blocked_fatal_signals() noexcept {
    sigset_t fatal;
    ::sigemptyset(&fatal);
    for (const int each : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
      ::sigaddset(&fatal, each);
    ::pthread_sigmask(SIG_BLOCK, &fatal, &before_);
  }
  ~blocked_fatal_signals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  blocked_fatal_signals(const blocked_fatal_signals&) = delete;
  blocked_fatal_signals& operator=(const blocked_fatal_signals&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

watchdog::watchdog(std::unique_ptr<raw_report> raw, const reporting_progress& progress,
                   report_statistics& statistics, std::string cause,
                   std::chrono::milliseconds patience)
    : raw_(std::move(raw)),
      progress_(progress),
      statistics_(statistics),
      cause_(std::move(cause)),
      patience_(patience),
      note_("this is the raw report: for " + std::to_string(patience.count() / 1000) +
            " s the reporter did not come on with one; names, waits, findings and sections are "
            "missing") {}

watchdog::~watchdog() {
  stop();
}

void watchdog::start(int capture_signal) {
  const capture::blocked_signals born_with{capture_signal};
  std::optional<blocked_fatal_signals> also;
  if (fatal_) also.emplace();
  thread_ = std::thread{[this] { run(); }};
}

void watchdog::stop() noexcept {
  if (!thread_.joinable()) return;
  stopped_ = true;
  os::ring_bell();
  thread_.join();
}

void watchdog::run() noexcept {
  ::pthread_setname_np(::pthread_self(), "gmr-watchdog");
  enroll_this_thread();
  if (fatal_) os::writes_raw_reports();
  while (!stopped_) {
    const std::uint32_t rung = os::bell_count();
    std::optional<clock::time_point> next = fatal_ ? fatal_->attend() : std::nullopt;
    if (!next) next = watch();
    if (!stopped_) os::wait_for_bell(rung, next);
  }
}

watchdog::view watchdog::look() const noexcept {
  const std::uint64_t signals = os::waiting_signals();
  return {.requests = progress_.asked() + signals,
          .steps = progress_.steps(),
          .is_asked = signals != 0 || progress_.unanswered() != 0};
}

// Returns when to look again, unless the bell rings before.
std::optional<watchdog::clock::time_point> watchdog::watch() noexcept {
  const clock::time_point now = clock::now();
  if (const view current = look(); current != seen_) {
    // Who asks once more does not put off what others wait for.
    const bool comes_on = current.steps != seen_.steps || !seen_.is_asked;
    if (comes_on || has_written_) since_ = now;
    seen_ = current;
    has_written_ = false;
  }
  if (!seen_.is_asked || has_written_) return std::nullopt;
  const auto patience = progress_.is_writing()
                            ? std::max<std::chrono::milliseconds>(patience_, patience_with_readers)
                            : patience_;
  if (now < since_ + patience) return since_ + patience;
  write();
  has_written_ = true;
  return std::nullopt;
}

void watchdog::write() noexcept {
  std::array<char, reporting_progress::longest_cause> last{};
  const std::size_t size = progress_.cause(last);
  const bool is_signal = os::waiting_signals() != 0 || size == 0;
  raw_->write({.cause = is_signal ? std::string_view{cause_} : std::string_view{last.data(), size},
               .number = progress_.made() + 1,
               .requests = progress_.unanswered() + os::waiting_signals(),
               .note = note_,
               .is_sink_stuck = progress_.is_writing()});
  statistics_.raw_written();
}

}  // namespace gmr
