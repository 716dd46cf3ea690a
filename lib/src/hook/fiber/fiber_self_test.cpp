// See fiber_self_test.hpp.
#include "hook/fiber/fiber_self_test.hpp"

#include <boost/context/protected_fixedsize_stack.hpp>
#include <boost/context/stack_traits.hpp>
#include <cstdint>
#include <exception>

#include "hook/fiber/fiber_hook.hpp"

namespace gmr::trace {
namespace {

namespace context = boost::context;

// What the fiber sees of itself.
struct observation {
  const fiber_record* running = nullptr;
  bool ended = false;
};

const fiber_record* running_now() noexcept {
  return gmr_this_thread == nullptr ? nullptr : gmr_this_thread->current.load();
}

transfer_t end(transfer_t transfer) noexcept {
  static_cast<observation*>(transfer.data)->ended = true;
  return {nullptr, nullptr};
}

void body(transfer_t transfer) noexcept {
  auto* const seen = static_cast<observation*>(transfer.data);
  seen->running = running_now();
  transfer = context::detail::jump_fcontext(transfer.fctx, nullptr);
  context::detail::ontop_fcontext(transfer.fctx, seen, end);
}

bool is_suspended_within(const fiber_record& fiber, const context::stack_context& stack) noexcept {
  const auto high = reinterpret_cast<std::uintptr_t>(stack.sp);
  return fiber.high.load() == high && fiber.low.load() == high - stack.size &&
         fiber.state.load() == fiber_state::suspendable && fiber.sequence.load() % 2 == 0 &&
         fiber.registers.sp > high - stack.size && fiber.registers.sp < high;
}

bool is_traced(const context::stack_context& stack) noexcept {
  observation seen;
  const fiber_record* const caller = running_now();
  transfer_t fiber{context::detail::make_fcontext(stack.sp, stack.size, body), &seen};
  fiber = context::detail::jump_fcontext(fiber.fctx, &seen);
  const bool was_suspended = seen.running != nullptr && seen.running != caller &&
                             is_suspended_within(*seen.running, stack);
  context::detail::jump_fcontext(fiber.fctx, nullptr);
  return was_suspended && seen.ended && seen.running->state.load() == fiber_state::free;
}

enum class outcome { traced, not_traced, not_tried };

outcome run_a_fiber() noexcept {
  try {
    context::protected_fixedsize_stack allocator{context::stack_traits::minimum_size()};
    context::stack_context stack = allocator.allocate();
    const bool traced = is_traced(stack);
    allocator.deallocate(stack);
    if (!traced && untraced_fibers() != 0) return outcome::not_tried;  // no memory for a record
    return traced ? outcome::traced : outcome::not_traced;
  } catch (const std::exception&) {
    return outcome::not_tried;  // no memory for a stack
  }
}

}  // namespace

std::string_view test_fiber_hook() noexcept {
  if (!set_up_fiber_hook()) return why_no_originals();
  enroll_thread();
  switch (run_a_fiber()) {
    case outcome::traced:
      return what_goes_past_the_hook();
    case outcome::not_traced:
      return "fiber tracing inactive: switches go past the hook; link gmr::trace to the program "
             "itself, before Boost.Context";
    case outcome::not_tried:
      break;
  }
  return "whether fibers are traced is not known: there was no memory to try it with one";
}

}  // namespace gmr::trace
