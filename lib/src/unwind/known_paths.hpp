// Stacks of fibers that are suspended at the same place, one like the other: walked once.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "capture/snapshot.hpp"
#include "unwind/row_table.hpp"
#include "unwind/unwinder.hpp"

namespace gmr::unwind {

// A walk along a stack is determined by its rules, which belong to program counters, and by the few
// words that it takes from the stack or a register: return addresses, and what a caller's frame is
// found by, at fixed distances from the stack pointer. A stack with the same words in the same
// places has the same frames. Not synchronised.
class known_paths final {
 public:
  // Puts the frames of a stack like one that was learned into `frames`; false when there is none.
  [[nodiscard]] bool find(const capture::stack_snapshot& snapshot,
                          std::vector<raw_frame>& frames) const;

  // `frames`: where a walk with nothing but simple rules went, to the outermost frame; any other is
  // not learned. A bounded number is.
  void learn(row_table& rows, const capture::stack_snapshot& snapshot,
             const std::vector<raw_frame>& frames);

  // Rules may have changed.
  void forget() noexcept;

 private:
  struct condition {
    std::uint32_t distance = 0;  // from the stack pointer, or the number of the register
    bool is_register = false;
    bool is_relative = false;  // to the stack pointer
    std::uintptr_t value = 0;
  };
  struct path {
    std::vector<condition> conditions;
    std::vector<raw_frame> frames;
  };
  class learner;

  [[nodiscard]] static bool holds(const condition& wanted, const capture::stack_snapshot& snapshot);

  boost::unordered_flat_map<std::uint64_t, std::vector<path>> paths_;  // by what key_of() says
  std::size_t count_ = 0;
};

}  // namespace gmr::unwind
