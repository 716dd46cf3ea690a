// Signals by name and number, and what a handler needs.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace gmr::os {

// The signal of that name, with or without SIG, in any case (USR2, SIGUSR2, RTMIN+3, RTMAX-1), or
// number; nothing when there is none.
[[nodiscard]] std::optional<int> parse_signal(std::string_view text);

// What the kernel alone puts on a stack to call a handler, in bytes; 0 where it does not say.
[[nodiscard]] std::size_t least_signal_stack() noexcept;

// Such as SIGUSR2 or SIGRTMIN+3; the number when it has no name.
[[nodiscard]] std::string signal_name(int number);

// The same with its number: SIGUSR1 (10).
[[nodiscard]] std::string signal_name_and_number(int number);

}  // namespace gmr::os
