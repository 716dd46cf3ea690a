#include "capture/green_threads.hpp"

#include <time.h>

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "capture/fiber_batch.hpp"
#include "hook/notes/green_thread_notes.hpp"
#include "hook/operations/operation_pool.hpp"
#include "hook/schedulers.hpp"

namespace gmr::capture {
namespace {

using steady_clock = std::chrono::steady_clock;
using id_set = std::unordered_set<std::uint64_t>;

std::uint64_t monotonic_now() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

class green_thread_capture::implementation {
 public:
  explicit implementation(const green_thread_capture_settings& settings)
      : deadline_(settings.deadline), batch_(settings.stack_bytes) {}

  std::span<const captured_green_thread> next();
  green_thread_capture_result finish();

 private:
  // How often a scheduler is gone through: the second and third time for fibers that have moved.
  static constexpr int most_passes = 3;

  bool begin_next_scheduler();
  void next_portion();
  void end_pass();
  void take(const green_thread_view& view);
  bool is_late();
  void note(std::string_view text);

  const steady_clock::time_point deadline_;
  // Before the green threads: who goes on meanwhile is noticed.
  const std::uint64_t began_ = monotonic_now();
  trace::pending_operations pending_{began_};
  trace::listing schedulers_;
  const scheduler* source_ = nullptr;           // that is gone through
  std::span<const green_thread_view> portion_;  // what is left of it
  int pass_ = 0;
  id_set wanted_;  // in a later pass
  id_set moved_;   // in this one
  fiber_batch batch_;
  std::uint64_t seen_ = 0;
  std::uint64_t left_out_ = 0;  // of this pass
  bool is_whole_ = true;        // no scheduler failed or was late
  bool is_late_ = false;
  green_thread_capture_result result_;
};

std::span<const captured_green_thread> green_thread_capture::implementation::next() {
  while (source_ != nullptr || begin_next_scheduler()) {
    if (portion_.empty()) next_portion();
    batch_.clear();
    for (; !portion_.empty() && !batch_.full(); portion_ = portion_.subspan(1))
      take(portion_.front());
    const auto captured = batch_.copy(pass_ == most_passes ? nullptr : &moved_);
    if (!captured.empty()) return captured;
  }
  return {};
}

bool green_thread_capture::implementation::begin_next_scheduler() {
  source_ = schedulers_.next_scheduler();
  pass_ = 1;
  if (source_ == nullptr) return false;
  if (const std::string_view problem = source_->problem(); !problem.empty()) {
    finding& found = result_.findings.emplace_back();
    found.kind = finding_kind::tracing_inactive;
    found.text = std::string{source_->name()} + ": " + std::string{problem};
  }
  return true;
}

void green_thread_capture::implementation::next_portion() {
  portion_ = schedulers_.next();
  if (!schedulers_.failure().empty()) {
    is_whole_ = false;
    note(schedulers_.failure());
  }
  if (portion_.empty()) end_pass();
}

void green_thread_capture::implementation::end_pass() {
  if (left_out_ > 0) {
    is_whole_ = false;
    note("out of time: " + std::to_string(left_out_) + " left out");
  }
  left_out_ = 0;
  wanted_ = std::exchange(moved_, {});
  if (wanted_.empty()) {
    source_ = nullptr;
  } else {
    ++pass_;
    schedulers_.begin_again();
  }
}

void green_thread_capture::implementation::take(const green_thread_view& view) {
  if (pass_ > 1 && !wanted_.contains(view.id)) return;
  if (is_late()) {
    ++left_out_;
    return;
  }
  const auto operations = pending_.of(view);
  if (operations.empty()) return batch_.add(view);
  green_thread_view detailed = view;
  detailed.operations = operations;
  if (view.waits_for.empty()) detailed.waits_for = operations.front().kind;
  if (std::ranges::any_of(operations, &waiting_operation::ready))
    detailed.state = green_thread_state::ready;
  batch_.add(detailed);
}

bool green_thread_capture::implementation::is_late() {
  constexpr unsigned visits_between_looks = 256;
  if (!is_late_ && seen_++ % visits_between_looks == 0) is_late_ = steady_clock::now() >= deadline_;
  return is_late_;
}

void green_thread_capture::implementation::note(std::string_view text) {
  result_.notes.push_back(std::string{source_->name()} + ": " + std::string{text});
}

green_thread_capture_result green_thread_capture::implementation::finish() {
  result_.contexts = pending_.contexts();
  result_.contexts_at = began_;
  result_.operations = pending_.unowned(!is_whole_);
  if (const std::uint64_t missing = trace::unrecorded_operations(); missing != 0)
    result_.notes.push_back("no memory was left to trace " + std::to_string(missing) +
                            " operations");
  if (const std::uint64_t refused = trace::refused_notes(); refused != 0)
    result_.notes.push_back("no room was left for names or labels of green threads: " +
                            std::to_string(refused) + " were not kept");
  return std::move(result_);
}

green_thread_capture::green_thread_capture(const green_thread_capture_settings& settings)
    : implementation_(std::make_unique<implementation>(settings)) {}

green_thread_capture::~green_thread_capture() = default;

std::span<const captured_green_thread> green_thread_capture::next() {
  return implementation_->next();
}

green_thread_capture_result green_thread_capture::finish() {
  return implementation_->finish();
}

}  // namespace gmr::capture
