// What the system's error numbers mean.
#pragma once

#include <string>

namespace gmr::os {

// In English, such as "Permission denied". strerror() and std::error_code::message() would look for
// a translation, under locks that a stuck thread may hold for ever.
[[nodiscard]] std::string error_text(int error);

// The same without a number where the system has no text for it; allocates nothing.
[[nodiscard]] const char* bare_error_text(int error) noexcept;

}  // namespace gmr::os
