// Lists the green threads made of asio::awaitable coroutines.
//
// Reads while the program runs: see coroutine_node.hpp for how that goes together. Every pointer is
// checked to lie in the range of slots, which stays readable whatever becomes of the coroutine;
// strings are followed only after the picture proved whole.
#include <array>
#include <bit>
#include <optional>
#include <source_location>
#include <string>
#include <unordered_map>
#include <vector>

#include "gmr/trace/scheduler.hpp"
#include "trace/coroutine_arena.hpp"
#include "trace/coroutine_operation.hpp"

namespace gmr::trace {

// Every traced unit refers to it: defined here, it brings this source into their program.
constinit coroutine_range coroutine_slots;

namespace {

// A chain that long is a runaway recursion: its inner frames tell that.
constexpr std::size_t most_frames = 1000;
constexpr int attempts = 8;

struct picture {
  std::uint64_t state = coroutine_state::dead;
  std::uint64_t id = 0;
  std::uint64_t since = 0;
  const char* operation = nullptr;
  const void* spawned = nullptr;
  std::vector<const void*> locations;  // of the frames shown, innermost first
};

// False when the chain changed meanwhile.
bool read_once(coroutine_entry& entry, picture& copy) {
  constexpr auto acquire = std::memory_order_acquire;
  copy.locations.clear();
  copy.state = entry.node.word.load(acquire);
  if (coroutine_state::kind(copy.state) == coroutine_state::dead) return true;
  copy.id = entry.id.load(acquire);
  copy.since = entry.since.load(acquire);
  copy.operation = entry.operation.load(acquire);
  copy.spawned = entry.node.location.load(acquire);
  coroutine_node* node = entry.top.load(acquire);
  for (std::size_t i = 0; i < most_frames && node != &entry.node; ++i) {
    if (!coroutine_slots.contains(node)) break;
    const bool shown = (node->word.load(acquire) & coroutine_internal) == 0;
    if (shown) copy.locations.push_back(node->location.load(acquire));
    node = node->caller.load(acquire);
  }
  return entry.node.word.load(std::memory_order_relaxed) == copy.state;
}

logical_frame to_frame(const void* location) {
  const auto where = std::bit_cast<std::source_location>(location);
  return {where.function_name(), where.file_name(), where.line()};
}

class coroutine_scheduler final : public scheduler {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "Asio coroutines"; }

  [[nodiscard]] std::string_view problem() const noexcept override {
    if (!all_coroutines.exhausted()) return {};
    return "no memory was left to trace some coroutines: they are not listed";
  }

  void list(green_thread_visitor& visitor) override {
    for (const entry_span& span : all_coroutines.spans()) {
      const std::uint32_t used = span.used.load(std::memory_order_acquire);
      for (std::uint32_t i = 0; i < used; ++i)
        show(*reinterpret_cast<coroutine_entry*>(span.first + i * span.slot_bytes), visitor);
    }
  }

 private:
  void show(coroutine_entry& entry, green_thread_visitor& visitor) {
    for (int attempt = 0; attempt < attempts; ++attempt)
      if (read_once(entry, picture_)) return show(picture_, visitor);
    // It never holds still: it runs.
    picture_.locations.clear();
    if (coroutine_state::kind(picture_.state) == coroutine_state::suspended)
      picture_.state = coroutine_state::running;
    show(picture_, visitor);
  }

  void show(const picture& seen, green_thread_visitor& visitor) {
    if (coroutine_state::kind(seen.state) == coroutine_state::dead) return;
    frames_.clear();
    for (const void* const location : seen.locations)
      if (location != nullptr) frames_.push_back(to_frame(location));
    green_thread_view view;
    view.id = seen.id;
    view.kind = green_thread_kind::coroutine;
    if (seen.spawned != nullptr) view.spawned = to_frame(seen.spawned);
    if (coroutine_state::kind(seen.state) == coroutine_state::running) {
      view.state = green_thread_state::running;
      view.thread = coroutine_state::thread(seen.state);
    } else {
      view.waits_for = operation(seen.operation);
      view.state =
          is_turn(view.waits_for) ? green_thread_state::ready : green_thread_state::suspended;
      view.suspended_at = seen.since;
      // Not begun: it will run the function it was spawned with.
      if (frames_.empty() && seen.spawned != nullptr) frames_.push_back(view.spawned);
    }
    view.frames = frames_;
    visitor.visit(view);
  }

  // Kept for ever: there are as many as kinds of operations in the program.
  std::string_view operation(const char* name) {
    if (name == nullptr) return {};
    const auto known = operations_.find(name);
    if (known != operations_.end()) return known->second;
    return operations_.emplace(name, operation_kind(name)).first->second;
  }

  picture picture_;
  std::vector<logical_frame> frames_;
  std::unordered_map<const char*, std::string> operations_;
};

coroutine_scheduler source;
const scheduler_registration registration = register_scheduler(source);

}  // namespace
}  // namespace gmr::trace
