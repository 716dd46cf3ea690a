// Signals by name and number.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gmr::sections {

// The signal of that name, with or without SIG, in any case (USR2, SIGUSR2, RTMIN+3, RTMAX-1), or
// number; nothing when there is none.
[[nodiscard]] std::optional<int> parse_signal(std::string_view text);

// Such as SIGUSR2 or SIGRTMIN+3; the number when it has no name.
[[nodiscard]] std::string signal_name(int number);

}  // namespace gmr::sections
