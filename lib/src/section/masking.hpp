// Keeps secrets out of reports.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace boost::program_options {
class options_description;
}

namespace gmr::sections {

inline constexpr std::string_view masked = "***";

// Whether an option of this name is secret by its name alone: password, secret, token, ... Of a
// full option name only the part after the last dot counts, and sections such as [secrets].
[[nodiscard]] bool is_secret_name(std::string_view name);

// The full names of the options that were declared with gmr::secret, and the short ones ("-p") of
// all that are secret by that or by their name.
[[nodiscard]] std::vector<std::string> secret_option_names(
    const boost::program_options::options_description& described);

// The text with the password of every URL in it replaced by ***, and the values of its parameters
// with secret names. What is not part of a URL is unchanged. Never throws but std::bad_alloc; where
// a URL is malformed it hides too much rather than too little.
[[nodiscard]] std::string mask_urls(std::string_view text);

// Arguments with secrets masked: --x.password=VALUE, --password VALUE, URLs. `secret_options` are
// full option names that are secret although their names don't say so, and short ones: -p VALUE,
// -pVALUE, also behind other short options (-vp VALUE).
[[nodiscard]] std::vector<std::string> mask_arguments(
    std::vector<std::string> arguments, const std::vector<std::string>& secret_options);

}  // namespace gmr::sections
