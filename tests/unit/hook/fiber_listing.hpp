// What the fiber source lists, copied.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hook/schedulers.hpp"

namespace gmr::test {

struct listed_fiber {
  std::uint64_t id = 0;
  green_thread_kind kind{};
  green_thread_state state{};
  std::string name;
  std::uint64_t suspended_at = 0;
  pid_t thread = 0;
  machine_stack stack;
  const std::atomic<std::uint32_t>* sequence = nullptr;
  std::uint32_t sequence_seen = 0;
  std::uint64_t parent = 0;

  [[nodiscard]] bool is_suspended() const { return state == green_thread_state::suspended; }
  // The stack of a thread rather than of a fiber.
  [[nodiscard]] bool is_own_stack() const { return name.starts_with("own stack of thread"); }
  [[nodiscard]] bool contains(const void* address) const {
    const auto value = reinterpret_cast<std::uintptr_t>(address);
    return value >= stack.low && value < stack.high;
  }
};

class listing final : public green_thread_visitor {
 public:
  void visit(const green_thread_view& view) override {
    listed_fiber fiber{
        view.id,     view.kind, view.state,    std::string{view.name}, view.suspended_at,
        view.thread, {},        view.sequence, view.sequence_seen,     view.parent};
    if (view.machine != nullptr) fiber.stack = *view.machine;
    (fiber.is_own_stack() ? own_stacks : fibers).push_back(fiber);
  }

  [[nodiscard]] std::vector<listed_fiber> suspended() const {
    std::vector<listed_fiber> result;
    std::ranges::copy_if(fibers, std::back_inserter(result), &listed_fiber::is_suspended);
    return result;
  }
  // The suspended fiber on whose stack this object lies.
  [[nodiscard]] const listed_fiber* on_stack_of(const void* object) const {
    const auto found = std::ranges::find_if(
        fibers, [&](const listed_fiber& fiber) { return fiber.contains(object); });
    return found == fibers.end() ? nullptr : &*found;
  }

  std::vector<listed_fiber> fibers;
  std::vector<listed_fiber> own_stacks;  // of threads that run a fiber
};

template <class Use>
void with_fiber_source(Use use) {
  trace::for_each_scheduler([&](scheduler& source) {
    if (source.name() == "Boost.Context fibers") use(source);
  });
}

inline listing list_fibers() {
  listing result;
  with_fiber_source([&](scheduler& source) { source.list(result); });
  return result;
}

}  // namespace gmr::test
