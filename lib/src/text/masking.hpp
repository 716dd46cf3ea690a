// Keeps secrets out of reports.
#pragma once

#include <string>
#include <string_view>

namespace gmr::texts {

inline constexpr std::string_view masked = "***";

// Whether an option of this name is secret by its name alone: password, secret, token, ... Of a
// full option name only the part after the last dot counts, and sections such as [secrets].
[[nodiscard]] bool is_secret_name(std::string_view name);

// The text with the password of every URL in it replaced by ***, and the values of parameters with
// secret names, also those of a URL without scheme and host: /orders?token=***. What is not part of
// a URL is unchanged. Never throws but std::bad_alloc; where a URL is malformed it hides too much
// rather than too little.
[[nodiscard]] std::string mask_urls(std::string_view text);

// False where mask_urls would change nothing, which takes no copy to tell.
[[nodiscard]] bool may_hold_url(std::string_view text) noexcept;

// A line of a log with the values of secret names masked (NAME=value, "NAME": "value"), and the
// secrets in its URLs.
[[nodiscard]] std::string mask_line(std::string_view text);

}  // namespace gmr::texts
