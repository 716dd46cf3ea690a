// One walk along one copied stack.
#pragma once

#include <cstddef>
#include <cstdint>

#include "unwind/evaluate.hpp"
#include "unwind/row_table.hpp"
#include "unwind/stack_memory.hpp"
#include "unwind/unwinder.hpp"
#include "unwind/walk_state.hpp"

namespace gmr::unwind {

// Why a walk ended.
enum class walk_end {
  outermost,         // complete
  limit,             // too many frames
  outside,           // the stack goes on where nothing was copied
  in_gap,            // the caller's frame lies between the two copied parts
  unknown_register,  // depends on a register nobody captured
  no_rules,          // no CFI, and frame pointers lead nowhere
  damaged,           // the stack pointer does not move outwards
};

class walk final {
 public:
  walk(row_table& rows, const stack_memory& memory, const walk_state& start, bool is_return,
       raw_stack& out)
      : rows_(rows),
        memory_(memory),
        state_(start),
        is_return_(is_return),
        out_(out),
        first_(out.frames.size()) {}

  // Appends frames until the stack ends.
  walk_end run();
  // The last program counter, which is where a walk that failed got to.
  [[nodiscard]] std::uintptr_t pc() const noexcept { return state_.registers.pc(); }
  // The first program counter without rules, from which a frame pointer led on; 0: there is none.
  [[nodiscard]] std::uintptr_t guessed_from() const noexcept { return guessed_from_; }

 private:
  enum class step_result { moved, ended };

  step_result step();
  step_result step_simple(const row& rules);
  step_result step_complex(const row& rules);
  step_result step_frame_pointer();
  step_result step_null_call();
  step_result finish(walk_end why) noexcept {
    end_ = why;
    return step_result::ended;
  }
  [[nodiscard]] bool is_entry_of_stack();
  [[nodiscard]] bool is_impossible(const row& rules) const;
  [[nodiscard]] walk_end unreadable(std::uintptr_t address) const noexcept;
  [[nodiscard]] bool compute(const register_rule& rule, unsigned number, std::uintptr_t cfa,
                             std::uintptr_t& value) const;

  row_table& rows_;
  const stack_memory& memory_;
  walk_state state_;
  bool is_return_;
  raw_stack& out_;
  std::size_t first_;  // index of the first frame of this walk
  int signals_ = 0;
  std::uintptr_t guessed_from_ = 0;
  walk_end end_ = walk_end::outermost;
};

}  // namespace gmr::unwind
