// See fiber_sanitizers.hpp. Both calls of AddressSanitizer's pair are made after the switch:
// between them only uninstrumented code runs either way, and only then is it known who runs.
#include "hook/fiber/fiber_sanitizers.hpp"

#include <cstddef>

extern "C" {
[[gnu::weak]] void __sanitizer_start_switch_fiber(void** fake_stack, const void* bottom,
                                                  std::size_t size);
[[gnu::weak]] void __sanitizer_finish_switch_fiber(void* fake_stack, const void** bottom,
                                                   std::size_t* size);
[[gnu::weak]] void __asan_unpoison_memory_region(const volatile void* low, std::size_t size);
[[gnu::weak]] void* __tsan_get_current_fiber();
[[gnu::weak]] void* __tsan_create_fiber(unsigned flags);
[[gnu::weak]] void __tsan_destroy_fiber(void* fiber);
[[gnu::weak]] void __tsan_switch_to_fiber(void* fiber, unsigned flags);
}

namespace gmr::trace {
namespace {

void unpoison(const fiber_record& fiber) noexcept {
  const std::uintptr_t low = fiber.low.load(std::memory_order_relaxed);
  __asan_unpoison_memory_region(reinterpret_cast<const void*>(low),
                                fiber.high.load(std::memory_order_relaxed) - low);
}

void switch_address_sanitizer(fiber_record& left, fiber_record& current) noexcept {
  const bool ending = left.state.load(std::memory_order_relaxed) == fiber_state::ending;
  const std::uintptr_t low = current.low.load(std::memory_order_relaxed);
  const std::size_t size = current.high.load(std::memory_order_relaxed) - low;
  __sanitizer_start_switch_fiber(ending ? nullptr : &left.asan_fake_stack,
                                 reinterpret_cast<const void*>(low), size);
  __sanitizer_finish_switch_fiber(current.asan_fake_stack, nullptr, nullptr);
  current.asan_fake_stack = nullptr;
  if (ending) unpoison(left);
}

}  // namespace

bool runs_under_sanitizer() noexcept {
  return __sanitizer_start_switch_fiber != nullptr || __tsan_switch_to_fiber != nullptr;
}

void sanitizers_made(fiber_record& fiber) noexcept {
  // Frames that never returned have left their red zones on a stack that is used again.
  if (__asan_unpoison_memory_region != nullptr) unpoison(fiber);
  fiber.asan_fake_stack = nullptr;
  if (__tsan_create_fiber != nullptr) fiber.tsan_fiber = __tsan_create_fiber(0);
}

void sanitizers_switched(fiber_record& left, fiber_record& current) noexcept {
  if (__sanitizer_start_switch_fiber != nullptr && __asan_unpoison_memory_region != nullptr)
    switch_address_sanitizer(left, current);
  if (__tsan_switch_to_fiber == nullptr) return;
  // A thread's own stack is met here when it is left for the first time.
  if (&left == &gmr_this_thread->own) left.tsan_fiber = __tsan_get_current_fiber();
  if (current.tsan_fiber != nullptr) __tsan_switch_to_fiber(current.tsan_fiber, 0);
}

void sanitizers_ended(fiber_record& fiber) noexcept {
  if (__tsan_destroy_fiber != nullptr && fiber.tsan_fiber != nullptr)
    __tsan_destroy_fiber(fiber.tsan_fiber);
  fiber.tsan_fiber = nullptr;
}

}  // namespace gmr::trace
