#include "capture/green_threads.hpp"

#include <time.h>

#include <algorithm>
#include <exception>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "capture/fiber_batch.hpp"
#include "trace/green_thread_notes.hpp"
#include "trace/operation_pool.hpp"
#include "trace/schedulers.hpp"

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

// Passes coroutines straight on and gathers fibers in batches.
class visitor final : public green_thread_visitor {
 public:
  // `only`: the green threads to take, null for all. `moved`: see fiber_batch::finish.
  visitor(fiber_batch& batch, green_thread_consumer& consumer,
          const trace::pending_operations& pending, steady_clock::time_point deadline,
          const id_set* only, id_set* moved)
      : batch_(batch),
        consumer_(consumer),
        pending_(pending),
        deadline_(deadline),
        only_(only),
        moved_(moved) {}

  void visit(const green_thread_view& view) override {
    if (only_ != nullptr && !only_->contains(view.id)) return;
    if (is_late()) {
      ++left_out_;
      return;
    }
    const auto operations = pending_.of(view);
    if (operations.empty()) return pass(view);
    green_thread_view detailed = view;
    detailed.operations = operations;
    if (view.waits_for.empty()) detailed.waits_for = operations.front().kind;
    if (std::ranges::any_of(operations, &waiting_operation::ready))
      detailed.state = green_thread_state::ready;
    pass(detailed);
  }

  void flush() { batch_.finish(consumer_, moved_); }
  [[nodiscard]] std::uint64_t left_out() const noexcept { return left_out_; }

 private:
  void pass(const green_thread_view& view) {
    if (view.machine == nullptr) return consumer_.take(view);
    if (batch_.full()) flush();
    batch_.add(view);
  }

  bool is_late() {
    constexpr unsigned visits_between_looks = 256;
    if (!late_ && seen_++ % visits_between_looks == 0) late_ = steady_clock::now() >= deadline_;
    return late_;
  }

  fiber_batch& batch_;
  green_thread_consumer& consumer_;
  const trace::pending_operations& pending_;
  steady_clock::time_point deadline_;
  const id_set* only_;
  id_set* moved_;
  std::uint64_t seen_ = 0;
  std::uint64_t left_out_ = 0;
  bool late_ = false;
};

class lister final {
 public:
  lister(const green_thread_capture_settings& settings, green_thread_consumer& consumer)
      : settings_(settings), consumer_(consumer), batch_(settings.stack_bytes) {}

  void list(scheduler& source) {
    note_problem(source);
    id_set moved;
    list_once(source, nullptr, &moved);
    constexpr int tries = 2;
    for (int i = 1; i <= tries && !moved.empty(); ++i) {
      const id_set again = std::exchange(moved, {});
      list_once(source, &again, i == tries ? nullptr : &moved);
    }
  }

  [[nodiscard]] green_thread_capture_result take_result() {
    result_.contexts = pending_.contexts();
    result_.contexts_at = began_;
    if (const std::uint64_t missing = trace::unrecorded_operations(); missing != 0)
      result_.notes.push_back("no memory was left to trace " + std::to_string(missing) +
                              " operations");
    if (const std::uint64_t refused = trace::refused_notes(); refused != 0)
      result_.notes.push_back("no room was left for names or labels of green threads: " +
                              std::to_string(refused) + " were not kept");
    return std::move(result_);
  }

 private:
  void note_problem(const scheduler& source) {
    const std::string_view problem = source.problem();
    if (problem.empty()) return;
    finding& found = result_.findings.emplace_back();
    found.kind = "tracing_inactive";
    found.text = std::string{source.name()} + ": " + std::string{problem};
  }

  void list_once(scheduler& source, const id_set* only, id_set* moved) {
    visitor listing{batch_, consumer_, pending_, settings_.deadline, only, moved};
    try {
      source.list(listing);
    } catch (const std::exception& error) {
      note(source, error.what());
    } catch (...) {
      note(source, "unknown exception");
    }
    listing.flush();
    if (listing.left_out() > 0)
      note(source, "out of time: " + std::to_string(listing.left_out()) + " left out");
  }

  void note(const scheduler& source, std::string_view text) {
    result_.notes.push_back(std::string{source.name()} + ": " + std::string{text});
  }

  const green_thread_capture_settings& settings_;
  green_thread_consumer& consumer_;
  // Before the green threads: who goes on meanwhile is noticed.
  const std::uint64_t began_ = monotonic_now();
  trace::pending_operations pending_{began_};
  fiber_batch batch_;
  green_thread_capture_result result_;
};

}  // namespace

green_thread_capture_result capture_green_threads(const green_thread_capture_settings& settings,
                                                  green_thread_consumer& consumer) {
  lister all{settings, consumer};
  trace::for_each_scheduler([&](scheduler& source) { all.list(source); });
  return all.take_result();
}

}  // namespace gmr::capture
