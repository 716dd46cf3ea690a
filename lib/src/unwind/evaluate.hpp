// Evaluates the DWARF expressions that CFI uses.
#pragma once

#include <cstdint>
#include <optional>

#include "unwind/row.hpp"
#include "unwind/stack_memory.hpp"
#include "unwind/walk_state.hpp"

namespace gmr::unwind {

// The value left on top; nothing when it needs an unknown register, memory outside the copy or an
// operation that CFI has no use for. Bounded, whatever the expression.
[[nodiscard]] std::optional<std::uintptr_t> evaluate(const expression& code,
                                                     const walk_state& state,
                                                     std::optional<std::uintptr_t> cfa,
                                                     const stack_memory& memory);

}  // namespace gmr::unwind
