// The portable backend: the thread walks its own stack, as Boost.Stacktrace does. Unlike a copy
// this relies on the unwinder of the C++ runtime in a signal handler: docs/threads.md, backends.
// Built without sanitizers.
#include <dlfcn.h>
#include <unwind.h>

#include <boost/stacktrace/safe_dump_to.hpp>

#include "capture/current_stack.hpp"
#include "capture/stack_recorder.hpp"
#include "os/arch/machine.hpp"

namespace gmr::capture {
namespace {

// The code of the C++ runtime's unwinder. Where it is about to leave frames for the handler of an
// exception it has overwritten what their callers kept there: a walk from within may follow wild
// pointers, and end the program. Empty when the program has it linked in statically.
constinit std::uintptr_t unwinder_begin = 0;
constinit std::uintptr_t unwinder_end = 0;

void find_unwinder() noexcept {
  void* const library = ::dlopen("libgcc_s.so.1", RTLD_LAZY | RTLD_NOLOAD);
  if (library == nullptr) return;
  dl_find_object found{};
  if (void* const part = ::dlsym(library, "_Unwind_Backtrace");
      part != nullptr && ::_dl_find_object(part, &found) == 0) {
    unwinder_begin = reinterpret_cast<std::uintptr_t>(found.dlfo_map_start);
    unwinder_end = reinterpret_cast<std::uintptr_t>(found.dlfo_map_end);
  }
  ::dlclose(library);  // whoever has it loaded keeps it
}

// A walk from within a signal handler: from the interrupted instruction on.
struct walk_from final {
  std::uintptr_t pc;
  capture_slot& slot;
  bool has_begun = false;
  bool ends_in_unwinder = false;

  // Without that instruction the walk never left the handler, and tells nothing.
  _Unwind_Reason_Code take(std::uintptr_t at) noexcept {
    has_begun = has_begun || at == pc || at == pc + 1;  // some count it as a return address
    if (!has_begun) return _URC_NO_REASON;
    if (at == 0) return _URC_END_OF_STACK;  // where threads begin
    slot.truncated = (slot.walked + 1) * sizeof at > slot.limit;
    if (slot.truncated) return _URC_END_OF_STACK;
    reinterpret_cast<std::uintptr_t*>(slot.memory)[slot.walked++] = at;
    ends_in_unwinder = at >= unwinder_begin && at < unwinder_end;
    return ends_in_unwinder ? _URC_END_OF_STACK : _URC_NO_REASON;
  }
};

_Unwind_Reason_Code take_frame(_Unwind_Context* context, void* walk) noexcept {
  return static_cast<walk_from*>(walk)->take(_Unwind_GetIP(context));
}

void walk(capture_slot& slot) noexcept {
  const std::size_t words = boost::stacktrace::safe_dump_to(0, slot.memory, slot.limit);
  slot.walked = words == 0 ? 0 : words - 1;  // it ends with a zero
  slot.truncated = words == slot.limit / sizeof(std::uintptr_t);
}

// A walk does not tell why it ended; where threads begin there is unwind information, which says
// so. Only here and now the code is sure to be loaded still.
void judge_end(capture_slot& slot) noexcept {
  if (slot.walked == 0 || slot.truncated) return;
  const auto* const counters = reinterpret_cast<const std::uintptr_t*>(slot.memory);
  // It looks at the byte before, as for a return address: the first one is none.
  const std::uintptr_t behind = counters[slot.walked - 1] + (slot.walked == 1 ? 1 : 0);
  slot.walk_broke_off = _Unwind_FindEnclosingFunction(reinterpret_cast<void*>(behind)) == nullptr;
}

}  // namespace

const std::size_t stack_for_recording = 4096;
const bool unwinds_copies = false;

// The first walk sets up the unwinder under a lock of its own, and the linker binds what is called:
// neither is for a handler.
void prepare_recorder() noexcept {
  const void* counters[8];
  (void)boost::stacktrace::safe_dump_to(0, static_cast<void*>(counters), sizeof counters);
  (void)_Unwind_FindEnclosingFunction(reinterpret_cast<void*>(&prepare_recorder));
  find_unwinder();
}

void record_stack(capture_slot& slot, const ucontext_t& context) noexcept {
  const std::uintptr_t pc = os::arch::pc_of(context);
  const std::uintptr_t sp = os::arch::sp_of(context);
  slot.registers[pc_register] = pc;
  slot.registers[sp_register] = sp;
  find_current_stack(slot, sp);
  slot.walked = 0;
  walk_from walk{pc, slot};
  (void)_Unwind_Backtrace(&take_frame, &walk);
  slot.walk_broke_off = walk.ends_in_unwinder;
  if (!walk.ends_in_unwinder) judge_end(slot);
}

[[gnu::noinline]] void record_own_stack(capture_slot& slot) noexcept {
  walk(slot);
  judge_end(slot);
}

}  // namespace gmr::capture
