// Which options are secret, and what is shown of a command line.
#pragma once

#include <string>
#include <vector>

namespace boost::program_options {
class options_description;
}

namespace gmr::loading {

// The full names of the options that were declared with gmr::secret, and the short ones ("-p") of
// all that are secret by that or by their name.
[[nodiscard]] std::vector<std::string> secret_option_names(
    const boost::program_options::options_description& described);

// Arguments with secrets masked: --x.password=VALUE, --password VALUE, URLs. `secret_options` are
// full option names that are secret although their names don't say so, and short ones: -p VALUE,
// -pVALUE, also behind other short options (-vp VALUE).
[[nodiscard]] std::vector<std::string> mask_arguments(
    std::vector<std::string> arguments, const std::vector<std::string>& secret_options);

}  // namespace gmr::loading
