// What a suspended coroutine waits for, told from the name of the type that it awaits.
#pragma once

#include <string>
#include <string_view>

namespace gmr::trace {

// `name` is what operation_name() made: a compiler's description of a function with the type in it.
// Known operations give one of the words of wait_info::kind ("timer", "read", "accept", ...),
// others their type, shortened.
[[nodiscard]] std::string operation_kind(std::string_view name);

// What an executor was merely asked to run: it waits for its turn and for nothing else.
[[nodiscard]] bool is_turn(std::string_view operation_kind) noexcept;

}  // namespace gmr::trace
