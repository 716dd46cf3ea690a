// Reads the arguments of a command, and prints its help.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gmr_command {

struct command_help {
  std::string_view usage;        // "gmr report [OPTIONS] PID|SERVICE"
  std::string_view description;  // what the command does; lines of at most 80 characters
  std::string_view examples;     // lines, each indented by two blanks
};

// Returns what the arguments say. Those without a name become values of the option "operands", in
// their order. Nothing is returned where --help was among them: it has been printed then. Throws
// `failure` with exit_command_line for what is not described.
[[nodiscard]] std::optional<boost::program_options::variables_map> read_arguments(
    const std::vector<std::string>& arguments,
    const boost::program_options::options_description& described, const command_help& help);

// Those of the operands; none where there are none.
[[nodiscard]] std::vector<std::string> operands(
    const boost::program_options::variables_map& values);

}  // namespace gmr_command
