// What the kernel says a task is doing.
#pragma once

#include <string_view>

namespace gmr::os {

// What the letter in /proc/PID/stat and status means, in one word. The same words for threads and
// for other processes, in text and JSON.
[[nodiscard]] std::string_view state_word(char state) noexcept;

}  // namespace gmr::os
