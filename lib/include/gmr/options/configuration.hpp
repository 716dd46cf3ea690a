// Loading a service's options in a way that remembers where each value came from.
#pragma once

#include "gmr/detail/language.hpp"

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "gmr/model/report.hpp"

namespace gmr {

// A configuration file or command line can't be used. what() begins with the place: "FILE:LINE: "
// for a file, nothing for the command line.
class configuration_error : public std::runtime_error {
 public:
  enum class place { command_line, environment, file, missing_file };
  configuration_error(place where, const std::string& message)
      : std::runtime_error(message), where_(where) {}
  [[nodiscard]] place where() const noexcept { return where_; }
  // As sysexits has it: 64 command line, 66 no such file, 78 configuration.
  [[nodiscard]] int exit_code() const noexcept;

 private:
  place where_;
};

// Options from the command line, the environment and an INI file, in that order of precedence, with
// the place each was set. Plain data once loaded.
class loaded_options {
 public:
  boost::program_options::variables_map values;
  std::map<std::string, std::string> sources;  // by full option name; absent: default
  // As it was written, by full option name: how a value of a type of your own is shown. Not masked.
  std::map<std::string, std::string> texts;
  std::string config_file;  // that was read; empty: none
  // What reports show of all options that were described, as describe_configuration makes it, and
  // the names of those whose values are secret.
  std::vector<option_entry> shown;
  std::vector<std::string> secrets;

  // The error as a configuration_error that begins with the place where that option was set, or
  // with the file that should have set it.
  [[nodiscard]] configuration_error error_at(const std::string& option,
                                             const std::string& message) const;
};

struct load_settings {
  std::string config_file_option = "config-file";  // empty: none
  std::string environment_prefix{};  // "ORDERS_": ORDERS_HTTP__PORT sets http.port; empty: none
  // With one of these on the command line nothing else is read, checked or notified: --help must
  // work whatever the file says.
  std::vector<std::string> standalone = {"help", "version"};
};

// Parses with Boost.ProgramOptions and calls its notifiers; the option that names the file is one
// of `described`. A file named on the command line or in the environment must be there; the default
// of that option may be missing. Throws configuration_error for anything that is wrong, naming file
// and line; the values of secret options are never part of the message.
[[nodiscard]] loaded_options load_options(
    int argc, const char* const* argv, const boost::program_options::options_description& described,
    const load_settings& settings = {});

// Every option of `described`: its value, masked when secret, and its source. Options whose names
// look secret (password, token, ...) are masked even when not declared so, and passwords inside
// URLs always. Without sources, a value that is not the default has the source "set".
[[nodiscard]] std::vector<option_entry> describe_configuration(
    const boost::program_options::options_description& described,
    const boost::program_options::variables_map& values,
    const std::map<std::string, std::string>& sources = {});

// The same, with sources; values of types that can't be shown otherwise as they were written.
[[nodiscard]] std::vector<option_entry> describe_configuration(
    const boost::program_options::options_description& described, const loaded_options& loaded);

}  // namespace gmr
