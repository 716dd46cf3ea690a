// Keeps secrets out of reports.
#pragma once

#include <string>
#include <string_view>

namespace gmr::sections {

inline constexpr std::string_view masked = "***";

// Whether an option of this name is secret by its name alone: password, secret, token, ...
[[nodiscard]] bool is_secret_name(std::string_view name);

// The text with the password of every URL in it replaced by ***.
[[nodiscard]] std::string mask_urls(std::string_view text);

}  // namespace gmr::sections
