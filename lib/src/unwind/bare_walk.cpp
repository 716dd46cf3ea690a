#include "unwind/bare_walk.hpp"

#include <ucontext.h>

#include <cstring>
#include <optional>

#include "os/arch/machine.hpp"
#include "os/memory.hpp"
#include "unwind/bare_cfi.hpp"
#include "unwind/return_address.hpp"

namespace gmr::unwind {
namespace {

using capture::pc_register;
using capture::sp_register;

constexpr std::uintptr_t moved(std::uintptr_t from, std::int32_t by) noexcept {
  return from + static_cast<std::uintptr_t>(std::intptr_t{by});
}

class bare_walker final {
 public:
  bare_walker(const os::bare_modules& modules, const walk_state& from, bool is_return,
              const bare_memory& memory, bare_stack& out)
      : modules_(modules), state_(from), is_return_(is_return), memory_(memory), out_(out) {}

  void run() noexcept {
    out_.count = 0;
    std::optional<bare_end> end;
    while (!end) {
      if (out_.count == out_.frames.size())
        end = bare_end::limit;
      else
        end = step();
    }
    out_.end = *end;
  }

 private:
  [[nodiscard]] std::uintptr_t pc() const noexcept { return state_[pc_register]; }

  // Adds the frame and goes on to its caller. Returns why there is none.
  std::optional<bare_end> step() noexcept {
    const os::bare_module* const module = modules_.find(is_return_ ? pc() - 1 : pc());
    const std::uintptr_t target = is_return_ ? pc() - 1 : pc();
    const bool is_code = module != nullptr && module->has_code_at(target);
    row rules;
    if (is_code && module->frame_table != 0) rules = find_bare_row(module->frame_table, target);
    if (is_return_ && out_.count > 0 && !rules.signal && rules.kind != row_kind::outermost &&
        !follows_call(pc()))
      return bare_end::damaged;  // what lay there was no return address
    out_.frames[out_.count++] = {pc(), is_return_};
    if (rules.kind == row_kind::outermost) return bare_end::outermost;
    if (rules.signal) return leave_signal_frame();
    if (rules.kind == row_kind::simple) return leave(rules);
    return out_.count == 1 && !is_code ? leave_bad_call() : bare_end::no_rules;
  }

  std::optional<bare_end> leave(const row& rules) noexcept {
    if (!state_.knows(rules.cfa_register)) return bare_end::unknown_register;
    const std::uintptr_t cfa = moved(state_[rules.cfa_register], rules.cfa_offset);
    std::uintptr_t caller = 0;
    if (rules.return_offset == row::same_value) {
      if (!state_.knows(os::arch::link_register)) return bare_end::unknown_register;
      caller = state_[os::arch::link_register];
    } else if (!memory_.read_object(moved(cfa, rules.return_offset), caller)) {
      return bare_end::unreadable;
    }
    caller = os::arch::without_signature(caller);
    if (caller == 0) return bare_end::outermost;
    const bool may_stand = out_.count == 1 && rules.return_offset == row::same_value;
    if (cfa < state_[sp_register] || (cfa == state_[sp_register] && !may_stand))
      return bare_end::damaged;
    walk_state next = state_;
    next.known &= registers_after_call;
    for (std::size_t i = 0; i < preserved_registers.size(); ++i) {
      const unsigned number = preserved_registers[i];
      const std::int32_t saved = rules.saved[i];
      std::uintptr_t value = 0;
      if (saved == row::same_value) continue;
      if (saved != row::undefined && memory_.read_object(moved(cfa, saved), value))
        next.set(number, value);
      else
        next.forget(number);
    }
    next.set(sp_register, cfa);
    next.set(pc_register, caller);
    state_ = next;
    is_return_ = true;
    return std::nullopt;
  }

  // The kernel has left the interrupted registers on the stack.
  std::optional<bare_end> leave_signal_frame() noexcept {
    constexpr int most_signals = 8;
    if (++signals_ > most_signals) return bare_end::damaged;
    if (out_.count > 0) out_.frames[out_.count - 1].is_return = false;  // it was never called
    ucontext_t context;
    if (!memory_.read_object(state_[sp_register] + os::arch::context_in_signal_frame, context))
      return bare_end::unreadable;
    os::arch::save_registers(state_.registers.values, context);
    state_.known = all_registers;
    is_return_ = false;
    return std::nullopt;
  }

  // A call through a bad pointer: where calls leave the address on the stack, it is all there is.
  std::optional<bare_end> leave_bad_call() noexcept {
    std::uintptr_t caller = 0;
    if (os::arch::link_register < capture::register_count ||
        !memory_.read_object(state_[sp_register], caller) || !modules_.is_code(caller - 1))
      return bare_end::no_rules;
    state_.set(sp_register, state_[sp_register] + sizeof caller);
    state_.set(pc_register, caller);
    is_return_ = true;
    return std::nullopt;
  }

  const os::bare_modules& modules_;
  walk_state state_;
  bool is_return_;
  const bare_memory& memory_;
  bare_stack& out_;
  int signals_ = 0;
};

}  // namespace

bool bare_memory::read(std::uintptr_t address, std::span<std::byte> out) const noexcept {
  if (copy_ == nullptr) return os::read_memory(address, out);
  for (const capture::slot_part& part : copy_->parts) {
    const std::uintptr_t distance = address - part.address;  // wraps where it is below
    if (part.size < out.size() || distance > part.size - out.size()) continue;
    std::memcpy(out.data(), copy_->memory + part.offset + distance, out.size());
    return true;
  }
  return false;
}

void walk_bare(const os::bare_modules& modules, const walk_state& from, bool begins_with_return,
               const bare_memory& memory, bare_stack& out) noexcept {
  bare_walker{modules, from, begins_with_return, memory, out}.run();
}

}  // namespace gmr::unwind
