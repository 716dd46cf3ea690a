// Options on their way from where they were written to the variables_map.
#pragma once

#include <boost/program_options/option.hpp>
#include <boost/program_options/options_description.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "gmr/options/configuration.hpp"

namespace gmr::loading {

// An option as it was parsed, not yet converted, with the place where it was written.
struct placed_option {
  boost::program_options::option parsed;
  std::string place;  // FILE:LINE, environment NAME, command line
};

// What one source has.
struct parsed_source {
  configuration_error::place kind = configuration_error::place::command_line;
  int style = 0;  // of Boost's error messages
  std::vector<placed_option> options;
};

// The name of an option as the variables_map has it; with its * when it stands for many.
[[nodiscard]] std::string full_name(const boost::program_options::option_description& option);

// Parses an INI file with Boost.ProgramOptions, a line at a time, because its parser does not tell
// lines. Sections, # and ; comments, byte order mark and CRLF are fine. Throws configuration_error
// for syntax and for options that are not described; values are converted later.
[[nodiscard]] std::vector<placed_option> parse_ini(
    std::string_view content, const std::string& file,
    const boost::program_options::options_description& described);

// Each throws configuration_error for what is wrong with the syntax; variables that belong to no
// option are left alone.
[[nodiscard]] parsed_source parse_command_line(
    int argc, const char* const* argv,
    const boost::program_options::options_description& described);
[[nodiscard]] parsed_source parse_environment(
    const boost::program_options::options_description& described, const load_settings& settings);

// Those that a file may set.
[[nodiscard]] boost::program_options::options_description settable(
    const boost::program_options::options_description& described, const load_settings& settings);

// Nothing when the source does not have it.
[[nodiscard]] const placed_option* find_option(const parsed_source& source,
                                               const std::string& name);

// Converts the options and adds them to those loaded before, which win. Throws configuration_error.
void store(const boost::program_options::options_description& described,
           const parsed_source& source, loaded_options& loaded);

// What po::notify does, an option at a time so that an error can be placed. Throws
// configuration_error.
void notify(const boost::program_options::options_description& described,
            const loaded_options& loaded);

// The error as a configuration_error: begins with the place unless that is the command line.
[[nodiscard]] configuration_error placed_error(configuration_error::place where,
                                               const std::string& place,
                                               const std::string& message);

}  // namespace gmr::loading
