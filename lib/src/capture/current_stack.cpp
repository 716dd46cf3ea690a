// Runs in signal handlers; built without sanitizers.
#include "capture/current_stack.hpp"

#include "hook/threads/thread_registry.hpp"

namespace gmr::capture {

void find_current_stack(capture_slot& slot, std::uintptr_t sp) noexcept {
  trace::thread_traits traits;
  if (!trace::find_this_thread(traits)) return;
  if (traits.fiber == 0) {
    const trace::fiber_record& own = trace::slot_of_this_thread()->own;
    traits.low = own.low.load(std::memory_order_relaxed);
    traits.high = own.high.load(std::memory_order_relaxed);
  }
  if (sp < traits.low || sp >= traits.high) return;
  slot.low = traits.low;
  slot.high = traits.high;
  slot.runs = traits.fiber;
}

}  // namespace gmr::capture
