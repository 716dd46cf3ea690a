// Every step either moves the stack pointer outwards or counts against a limit, so a walk ends
// whatever the bytes say.
#include "unwind/walk.hpp"

#include "unwind/return_address.hpp"

namespace gmr::unwind {
namespace {

constexpr std::size_t most_frames = 16384;
constexpr int most_signal_frames = 16;
constexpr std::uintptr_t word_bytes = sizeof(std::uintptr_t);

}  // namespace

walk_end walk::run() {
  const std::size_t limit = out_.frames.size() + most_frames;
  do {
    if (out_.frames.size() == limit) return walk_end::limit;
    out_.frames.push_back({pc(), is_return_});
  } while (step() == step_result::moved);
  return end_;
}

walk::step_result walk::step() {
  const row& rules = rows_.find(is_return_ ? pc() - 1 : pc());
  if (is_impossible(rules)) {
    if (is_entry_of_stack()) {
      out_.frames.back().is_return = false;
      return finish(walk_end::outermost);
    }
    out_.frames.pop_back();
    return finish(walk_end::damaged);
  }
  switch (rules.kind) {
    case row_kind::simple:
      return step_simple(rules);
    case row_kind::complex:
      return step_complex(rules);
    case row_kind::outermost:
      return finish(walk_end::outermost);
    default:
      break;
  }
  // Its frames cannot be told apart any more, frame pointers or not.
  if (rows_.modules().find(pc()) == nullptr && rows_.modules().find_unloaded(pc()) != nullptr)
    return finish(walk_end::no_rules);
  if (out_.frames.size() == 1 && !rows_.is_code(pc())) return step_null_call();
  return step_frame_pointer();
}

// A caller that did not call, and is none: what lay on the stack was no return address. So it is
// while an exception is about to leave its frame, and with rules of a library that was not there.
bool walk::is_impossible(const row& rules) const {
  if (!is_return_ || out_.frames.size() == first_ + 1 || rules.signal ||
      rules.kind == row_kind::outermost)
    return false;
  if (rows_.is_code(pc() - 1)) return !rules.after_call;
  return rows_.modules().find_unloaded(pc()) == nullptr && !follows_call(pc());
}

// makecontext() lets a function return to the first instruction of another, which nobody called:
// the word where that one's caller would be is 0. Others do likewise, but so may anything look that
// lay on the stack where rules of a library that has gone led to: theirs must be called by what
// stays.
bool walk::is_entry_of_stack() {
  const os::module* const callee = rows_.modules().find(out_.frames[out_.frames.size() - 2].pc - 1);
  const bool stays = callee != nullptr && callee->kind == os::module_kind::executable;
  if (!stays && pc() != end_of_makecontext()) return false;
  const row& rules = rows_.find(pc());
  std::uintptr_t caller = 1;
  return rules.kind == row_kind::simple && rules.starts_here &&
         rules.cfa_register == capture::sp_register &&
         memory_.read(state_.registers.sp() +
                          static_cast<std::uintptr_t>(std::intptr_t{rules.cfa_offset}) +
                          static_cast<std::uintptr_t>(std::intptr_t{rules.return_offset}),
                      caller) &&
         caller == 0;
}

walk::step_result walk::step_simple(const row& rules) {
  if (!state_.knows(rules.cfa_register)) return finish(walk_end::unknown_register);
  const std::uintptr_t cfa =
      state_[rules.cfa_register] + static_cast<std::uintptr_t>(std::intptr_t{rules.cfa_offset});
  if (cfa <= state_.registers.sp()) return finish(walk_end::damaged);
  const auto at = [&](std::int32_t offset) {
    return cfa + static_cast<std::uintptr_t>(std::intptr_t{offset});
  };
  std::uintptr_t caller = 0;
  if (!memory_.read(at(rules.return_offset), caller))
    return finish(unreadable(at(rules.return_offset)));
  caller = os::arch::without_signature(caller);
  if (caller == 0) return finish(walk_end::outermost);
  state_.known &= registers_after_call;
  for (std::size_t i = 0; i < preserved_registers.size(); ++i) {
    const std::int32_t offset = rules.saved[i];
    if (offset == row::same_value) continue;
    const unsigned number = preserved_registers[i];
    if (offset == row::undefined || !memory_.read(at(offset), state_.registers.values[number])) {
      state_.forget(number);
    } else {
      state_.set(number, state_[number]);
    }
  }
  state_.set(capture::sp_register, cfa);
  state_.set(capture::pc_register, caller);
  is_return_ = true;
  return step_result::moved;
}

bool walk::compute(const register_rule& rule, unsigned number, std::uintptr_t cfa,
                   std::uintptr_t& value) const {
  using kind = register_rule::kind;
  if (rule.how == kind::undefined) return false;
  if (rule.how == kind::same_value || rule.how == kind::in_register) {
    const unsigned source = rule.how == kind::same_value ? number : rule.source;
    if (!state_.knows(source)) return false;
    value = state_[source];
    return true;
  }
  const auto result = evaluate(rule.code, state_, cfa, memory_);
  if (!result) return false;
  value = *result;
  return rule.how == kind::is || memory_.read(*result, value);
}

walk::step_result walk::step_complex(const row& rules) {
  const complex_row& full = rows_.complex(rules);
  const bool signal = rules.signal;
  const auto cfa = evaluate(full.cfa, state_, std::nullopt, memory_);
  if (!cfa) return finish(walk_end::unknown_register);
  std::uintptr_t caller = 0;
  const register_rule& way_back = full.rules[full.return_register];
  if (!compute(way_back, full.return_register, *cfa, caller)) {
    const bool in_register = way_back.how == register_rule::kind::in_register;
    return finish(in_register ? walk_end::unknown_register : unreadable(*cfa - word_bytes));
  }
  caller = os::arch::without_signature(caller);
  if (caller == 0) return finish(walk_end::outermost);
  walk_state next;
  for (unsigned number = 0; number < capture::register_count; ++number) {
    std::uintptr_t value = 0;
    if (compute(full.rules[number], number, *cfa, value)) next.set(number, value);
  }
  // Unless it says otherwise, CFI means by CFA the caller's stack pointer.
  const auto sp_rule = full.rules[capture::sp_register].how;
  if (sp_rule == register_rule::kind::undefined || sp_rule == register_rule::kind::same_value)
    next.set(capture::sp_register, *cfa);
  next.set(capture::pc_register, caller);
  // A signal handler may run on another stack, so the direction says nothing there. A leaf of arm64
  // needs no stack at all.
  const std::uintptr_t lowest = state_.registers.sp() + (out_.frames.size() == 1 ? 0 : 1);
  if (signal ? ++signals_ > most_signal_frames : next.registers.sp() < lowest)
    return finish(walk_end::damaged);
  if (signal) out_.frames.back().is_return = false;  // the trampoline itself was never called
  state_ = next;
  is_return_ = !signal;
  return step_result::moved;
}

// The layout that frame pointers give on x86-64 and arm64 alike: caller's, then return address.
walk::step_result walk::step_frame_pointer() {
  const std::uintptr_t frame = state_[capture::frame_register];
  std::uintptr_t callers_frame = 0;
  std::uintptr_t caller = 0;
  if (!state_.knows(capture::frame_register) || frame < state_.registers.sp() ||
      frame % word_bytes != 0 || !memory_.read(frame, callers_frame) ||
      !memory_.read(frame + word_bytes, caller))
    return finish(walk_end::no_rules);
  caller = os::arch::without_signature(caller);
  if (!rows_.is_code(caller - 1)) return finish(walk_end::no_rules);
  out_.exact = false;
  if (guessed_from_ == 0) guessed_from_ = pc();
  state_.known = 0;
  state_.set(capture::frame_register, callers_frame);
  state_.set(capture::sp_register, frame + 2 * word_bytes);
  state_.set(capture::pc_register, caller);
  is_return_ = true;
  return step_result::moved;
}

// A call through a bad pointer: the caller's address is all that lies on the stack.
walk::step_result walk::step_null_call() {
  const std::uintptr_t sp = state_.registers.sp();
  std::uintptr_t caller = 0;
  constexpr unsigned link = os::arch::link_register;
  constexpr bool on_stack = link >= capture::register_count;
  if constexpr (!on_stack) caller = state_[link];
  const bool known = on_stack ? memory_.read(sp, caller) : state_.knows(link);
  caller = os::arch::without_signature(caller);
  const bool found = known && rows_.is_code(caller - 1);
  const std::uintptr_t callers_sp = on_stack ? sp + word_bytes : sp;
  if (!found) return step_frame_pointer();
  out_.exact = false;
  state_.known &= registers_after_call;
  state_.set(capture::sp_register, callers_sp);
  state_.set(capture::pc_register, caller);
  is_return_ = true;
  return step_result::moved;
}

walk_end walk::unreadable(std::uintptr_t address) const noexcept {
  return memory_.in_gap(address) ? walk_end::in_gap : walk_end::outside;
}

}  // namespace gmr::unwind
