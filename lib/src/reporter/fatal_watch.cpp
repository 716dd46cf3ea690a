#include "reporter/fatal_watch.hpp"

#include <utility>

#include "analyse/fatal_text.hpp"
#include "os/bell.hpp"
#include "os/fatal_errors.hpp"
#include "sink/old_reports.hpp"

namespace gmr {
namespace {

// For what is being written when the time is over.
constexpr std::chrono::seconds patience_with_writing{1};

constexpr std::string_view note =
    "this is the raw report of a fatal error: names, waits, findings and sections are missing";

}  // namespace

whole_fatal_report::whole_fatal_report(std::shared_ptr<report_queue> queue, std::string service,
                                       const settings& set, bool is_maker)
    : queue_(std::move(queue)), service_(std::move(service)), settings_(set), is_maker_(is_maker) {}

void whole_fatal_report::ask() noexcept {
  is_asked_.store(true);
  os::ring_bell();
}

void whole_fatal_report::begin() {
  if (is_maker_) os::makes_whole_reports();
  if (settings_.log_dir.empty()) return;
  // Where that fails, the first report that is written there says why.
  static_cast<void>(sinks::remove_old_reports(
      settings_.log_dir, service_, {.count = settings_.log_keep, .bytes = settings_.log_keep_bytes},
      {}));
}

std::optional<duty::clock::time_point> whole_fatal_report::attend(clock::time_point) {
  if (!std::exchange(has_begun_, true)) begin();
  if (!is_asked_.exchange(false)) return std::nullopt;
  if (const os::fatal_error* const error = os::present_fatal_error())
    queue_->request(std::string{analyse::fatal_text::of_cause(*error).view()},
                    report_cause::fatal_error);
  return std::nullopt;
}

void fatal_watch::write_raw(const os::fatal_error& error) noexcept {
  const analyse::fatal_text cause = analyse::fatal_text::of_cause(error);
  const analyse::fatal_text what = analyse::fatal_text::of_error(error);
  raw_.write({.cause = cause.view(),
              .number = progress_.made() + 1,
              .requests = 1,
              .note = note,
              .failing = &error,
              .what_failed = what.view()});
  statistics_.raw_written();
}

// Whether the whole report is there, or is not to be waited for.
bool fatal_watch::is_over(clock::time_point now) const noexcept {
  const report_counters counted = statistics_.read();
  const cause_counters& fatal = counted.of(report_cause::fatal_error);
  if (fatal.made + fatal.failed != 0 || os::has_maker_failed()) return true;
  return now >= (progress_.is_writing() ? end_ + patience_with_writing : end_);
}

std::optional<fatal_watch::clock::time_point> fatal_watch::attend() noexcept {
  const os::fatal_error* const error = os::present_fatal_error();
  if (error == nullptr) return std::nullopt;
  if (!std::exchange(has_written_, true)) {
    write_raw(*error);
    end_ = clock::now() + longest_;
    if (whole_ != nullptr) whole_->ask();
  }
  const clock::time_point now = clock::now();
  if (whole_ != nullptr && !is_over(now)) return now < end_ ? end_ : now + patience_with_writing;
  os::release_failing_thread();
  return std::nullopt;
}

}  // namespace gmr
