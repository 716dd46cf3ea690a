// Lists the green threads made of asio::awaitable coroutines.
//
// Reads while the program runs: see coroutine_node.hpp for how that goes together. Every pointer is
// checked to lie in the range of slots, which stays readable whatever becomes of the coroutine;
// strings are followed only after the picture proved whole.
#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "gmr/trace/scheduler.hpp"
#include "hook/coroutine/bare_coroutines.hpp"
#include "hook/coroutine/coroutine_arena.hpp"
#include "hook/coroutine/coroutine_operation.hpp"
#include "hook/coroutine/literals.hpp"
#include "hook/debugger_tables.hpp"
#include "hook/library_copies.hpp"
#include "hook/notes/shown_notes.hpp"
#include "hook/schedulers.hpp"

namespace gmr::trace {

// Every traced unit refers to it: defined here, it brings this source into their program.
constinit coroutine_range coroutine_slots;

namespace {

// A chain that long is a runaway recursion: its inner frames tell that.
constexpr std::size_t most_frames = 1000;
// A chain as it is being read.
class picture final {
 public:
  // Reads the entry. False when there is no green thread in it.
  bool begin(coroutine_entry& entry) {
    entry_ = &entry;
    locations_.clear();
    steps_ = 0;
    state_ = entry.node.word.load(std::memory_order_acquire);
    if (kind() == coroutine_state::dead) return false;
    id_ = entry.id.load(std::memory_order_acquire);
    since_ = entry.since.load(std::memory_order_acquire);
    operation_ = entry.operation.load(std::memory_order_acquire);
    extra_ = coroutine_extra::of(entry);
    spawned_ = entry.node.location.load(std::memory_order_acquire);
    at_ = innermost_ = entry.top.load(std::memory_order_acquire);
    __builtin_prefetch(at_);
    return true;
  }

  // Reads one frame. False at the end of the chain.
  bool step() {
    if (at_ == &entry_->node || steps_ == most_frames || !coroutine_slots.contains(at_))
      return false;
    ++steps_;
    const bool shown = (at_->word.load(std::memory_order_acquire) & coroutine_internal) == 0;
    if (shown) locations_.push_back(at_->location.load(std::memory_order_acquire));
    at_ = at_->caller.load(std::memory_order_acquire);
    __builtin_prefetch(at_);
    return true;
  }

  // False when the chain changed meanwhile: begin again. Whoever goes on changes the state first
  // and the innermost frame then, after which the frame that was left may be freed: the new state
  // may have been read with the old frame.
  [[nodiscard]] bool whole() const {
    return entry_->node.word.load(std::memory_order_relaxed) == state_ &&
           entry_->top.load(std::memory_order_relaxed) == innermost_;
  }

  // Reads it all, again and again until it holds still; what never does is running, somewhere.
  // False when there is no green thread in it.
  bool insist() {
    constexpr int attempts = 8;
    for (int attempt = 0; attempt < attempts; ++attempt) {
      if (!begin(*entry_)) return false;
      while (step()) {
      }
      if (whole()) return true;
    }
    give_up();
    return true;
  }

  void give_up() {
    locations_.clear();
    state_ = coroutine_state::next(0, coroutine_state::running, 0);
  }

  [[nodiscard]] const coroutine_entry* entry() const { return entry_; }
  [[nodiscard]] std::uint64_t state() const { return state_; }
  [[nodiscard]] std::uint64_t kind() const { return coroutine_state::kind(state_); }
  [[nodiscard]] pid_t thread() const { return coroutine_state::thread(state_); }
  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] std::uint64_t since() const { return since_; }
  [[nodiscard]] const char* operation() const { return operation_; }
  [[nodiscard]] coroutine_extra extra() const { return extra_; }
  [[nodiscard]] const void* spawned() const { return spawned_; }
  [[nodiscard]] const void* innermost() const { return innermost_; }
  // Of the frames to be shown, innermost first.
  [[nodiscard]] std::span<const void* const> locations() const { return locations_; }

 private:
  coroutine_entry* entry_ = nullptr;
  coroutine_node* at_ = nullptr;
  coroutine_node* innermost_ = nullptr;
  std::size_t steps_ = 0;
  std::uint64_t state_ = coroutine_state::dead;
  std::uint64_t id_ = 0;
  std::uint64_t since_ = 0;
  const char* operation_ = nullptr;
  coroutine_extra extra_{};
  const void* spawned_ = nullptr;
  std::vector<const void*> locations_;
};

class coroutine_scheduler final : public portioned_scheduler {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "Asio coroutines"; }

  [[nodiscard]] std::string_view problem() const noexcept override {
    if (!all_coroutines.exhausted()) return what_copies_hide();
    return "no memory was left to trace some coroutines: they are not listed";
  }

  // A place is a span and a slot in it.
  [[nodiscard]] std::optional<place> list_some(green_thread_list& out, place at) override {
    const auto spans = all_coroutines.spans();
    if (at.part == 0 && at.index == 0) literals_.begin();
    for (; at.part < spans.size(); at = {at.part + 1, 0}) {
      const entry_span& span = spans[at.part];
      const std::uint32_t used = span.used.load(std::memory_order_acquire);
      for (; at.index < used; at.index += batch) {
        if (out.size() >= usual_portion) return at;
        std::byte* const first = span.first + at.index * span.slot_bytes;
        list_batch(first, span.slot_bytes, std::min(batch, used - at.index), out);
      }
    }
    return std::nullopt;
  }

 private:
  // So many chains are read at a time, frame by frame: waiting for memory is most of the cost, and
  // this way it is waited for them together.
  static constexpr std::uint32_t batch = 32;

  void list_batch(std::byte* slot, std::size_t slot_bytes, std::uint32_t count,
                  green_thread_list& out) {
    std::uint32_t alive = 0;
    for (; count > 0; --count, slot += slot_bytes)
      if (pictures_[alive].begin(*reinterpret_cast<coroutine_entry*>(slot))) ++alive;
    const std::span found{pictures_.data(), alive};
    for (bool more = true; more;) {
      more = false;
      for (picture& p : found)
        more = p.step() || more;
    }
    for (picture& p : found)
      show(p, out);
  }

  // Name and labels are those of the moment that the chain is of: read before it proves unchanged.
  void show(picture& seen, green_thread_list& out) {
    constexpr int attempts = 8;
    green_thread_view view;
    for (int attempt = 0; attempt < attempts; ++attempt) {
      if (!seen.whole() && !seen.insist()) return;
      view = {};
      add_notes(seen, view);
      if (seen.whole()) break;
      if (attempt == attempts - 1) seen.give_up();
    }
    add_chain(seen, view);
    out.visit(view);
  }

  void add_notes(const picture& seen, green_thread_view& view) {
    view.id = seen.id();
    view.parent = seen.extra().parent();
    if (const green_thread_notes* const notes = seen.extra().notes(); notes != nullptr) {
      notes_.show(notes, view);
      view.parent = notes->parent();
    }
  }

  void add_chain(const picture& seen, green_thread_view& view) {
    frames_.clear();
    for (const void* const location : seen.locations())
      if (location != nullptr) frames_.push_back(literals_.frame_at(location));
    view.kind = green_thread_kind::coroutine;
    if (seen.kind() == coroutine_state::running) {
      view.state = green_thread_state::running;
      view.thread = seen.thread();
    } else {
      view.waits_for = operation(seen.operation());
      view.state =
          is_turn(view.waits_for) ? green_thread_state::ready : green_thread_state::suspended;
      view.suspended_at = seen.since();
      view.last_thread = seen.thread();
      view.innermost = seen.innermost();
      view.record = seen.entry();
      view.record_state = seen.state();
      // Not begun: it will run the function it was spawned with.
      if (frames_.empty() && seen.spawned() != nullptr)
        frames_.push_back(literals_.frame_at(seen.spawned()));
    }
    view.frames = frames_;
  }

  // Kept for ever: there are as many as kinds of operations in the program.
  std::string_view operation(const char* name) {
    if (name == nullptr) return {};
    const std::string_view text = literals_.text_at(name);
    const auto known = operations_.find(text);
    if (known != operations_.end()) return known->second;
    return operations_.emplace(text, operation_kind(text)).first->second;
  }

  std::array<picture, batch> pictures_;
  std::vector<logical_frame> frames_;
  shown_notes notes_;
  literal_reader literals_;
  std::unordered_map<std::string_view, std::string> operations_;
};

coroutine_scheduler source;
const scheduler_registration registration = [] {
  if (!this_copy_serves()) return scheduler_registration{};
  register_bare_coroutines();
  return register_portioned(source);
}();

// Brings what debuggers read into every program with traced coroutines.
[[gnu::used]] const auto* const debug_table = &gmr_debug_coroutines;

}  // namespace
}  // namespace gmr::trace
