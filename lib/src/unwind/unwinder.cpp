// The libdw backend: walks the copy with rows compiled from CFI.
#include "unwind/unwinder.hpp"

#include <utility>

#include "text/hex.hpp"
#include "unwind/known_paths.hpp"
#include "unwind/row_table.hpp"
#include "unwind/walk.hpp"
#include "unwind/walked.hpp"

namespace gmr::unwind {
namespace {

// An outer part has few words that look like code but begin no chain; a damaged one may have many.
constexpr int most_attempts = 256;

std::string where(std::uintptr_t pc, const os::module_table& modules) {
  if (const os::module* const found = modules.find(pc))
    return texts::hex(pc) + " in " + found->path;
  if (const os::module* const gone = modules.find_unloaded(pc))
    return texts::hex(pc) + " in " + gone->path + ", which is no longer loaded";
  return texts::hex(pc) + ", which is in no loaded module";
}

std::string explain(walk_end end, std::uintptr_t pc, const os::module_table& modules) {
  switch (end) {
    case walk_end::outermost:
      return {};
    case walk_end::limit:
      return "too many frames";
    case walk_end::outside:
    case walk_end::in_gap:
      return "the stack goes on where it was not copied";
    case walk_end::unknown_register:
      return "the next frame depends on a register that is not known";
    case walk_end::no_rules:
      return "no unwind information for " + where(pc, modules);
    case walk_end::damaged:
      return "the stack is damaged, or was not consistent when it was copied";
  }
  return {};
}

walk_state initial_state(const capture::stack_snapshot& snapshot) {
  walk_state state;
  if (snapshot.only_pc_and_sp) {
    state.set(capture::pc_register, snapshot.registers.pc());
    state.set(capture::sp_register, snapshot.registers.sp());
    return state;
  }
  state.registers = snapshot.registers;
  state.known = snapshot.full_registers ? all_registers : registers_after_call;
  // Whoever knows less than a call preserves leaves the rest 0, which no frame's base ever is.
  if (!snapshot.full_registers && state[capture::frame_register] == 0)
    state.forget(capture::frame_register);
  return state;
}

}  // namespace

class unwinder::implementation final {
 public:
  explicit implementation(os::shared_modules modules) : rows_(std::move(modules)) {}

  void use(os::shared_modules modules) {
    rows_.use(std::move(modules));
    paths_.forget();
  }

  void unwind(const capture::stack_snapshot& snapshot, raw_stack& out) {
    if (paths_.find(snapshot, out.frames)) return;
    const stack_memory memory{snapshot};
    const walk_state start = initial_state(snapshot);
    walk steps{rows_, memory, start, starts_after_call(snapshot), out};
    const walk_end end = steps.run();
    if (end != walk_end::outermost) {
      out.truncated = true;
      out.note = explain(end, steps.pc(), rows_.modules());
      if (end == walk_end::in_gap) resume(memory, out);
    }
    if (out.exact && !out.truncated) paths_.learn(rows_, snapshot, out.frames);
    if (steps.guessed_from() == 0) return;
    out.note += (out.note.empty() ? "" : "; ") +
                ("no unwind information for " + where(steps.guessed_from(), rows_.modules()) +
                 ": followed its frame pointer");
  }

 private:
  // A suspended fiber goes on where a call returns, unless it has not begun yet. A thread that was
  // read without a signal stands behind a system call, which is no call, or anywhere.
  bool starts_after_call(const capture::stack_snapshot& snapshot) {
    return !snapshot.full_registers && !snapshot.only_pc_and_sp &&
           !rows_.find(snapshot.registers.pc()).starts_here;
  }

  // Looks in the outer part for a return address from which the rest can be walked to the end.
  void resume(const stack_memory& memory, raw_stack& out) {
    const capture::stack_copy& part = memory.outer();
    constexpr std::uintptr_t word = sizeof(std::uintptr_t);
    const std::uintptr_t first = (part.address + word - 1) / word * word;
    const std::uintptr_t end = part.address + part.bytes.size();
    const std::size_t kept = out.frames.size();
    int attempts = 0;
    for (std::uintptr_t at = first; at + word <= end; at += word) {
      walk_state state;
      std::uintptr_t caller = 0;
      std::uintptr_t frame = 0;
      if (!memory.read(at, caller) || !rows_.is_code(caller - 1)) continue;
      if (++attempts > most_attempts) return;
      state.set(capture::pc_register, caller);
      state.set(capture::sp_register, at + word);
      // Where a callee that uses frame pointers has put its caller's.
      if (memory.read(at - word, frame)) state.set(capture::frame_register, frame);
      walk steps{rows_, memory, state, true, out};
      if (steps.run() == walk_end::outermost && out.frames.size() > kept + 1) {
        out.resumed_at = kept;
        out.exact = false;
        out.note = "frames are missing between " + std::to_string(kept) + " and " +
                   std::to_string(kept + 1) + ": the middle of the stack was not copied";
        return;
      }
      out.frames.resize(kept);
    }
  }

  row_table rows_;
  known_paths paths_;
};

unwinder::unwinder(os::shared_modules modules)
    : implementation_(std::make_unique<implementation>(std::move(modules))) {}
unwinder::~unwinder() = default;

void unwinder::use(os::shared_modules modules) {
  implementation_->use(std::move(modules));
}

void unwinder::unwind(const capture::stack_snapshot& snapshot, raw_stack& out) {
  if (!take_walked(snapshot, out)) implementation_->unwind(snapshot, out);
}

}  // namespace gmr::unwind
