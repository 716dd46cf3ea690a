// Masks the arguments of a command line.
#include <algorithm>
#include <utility>

#include "section/masking.hpp"

namespace gmr::sections {
namespace {

std::string_view without_dashes(std::string_view argument) {
  argument.remove_prefix(std::min(argument.find_first_not_of('-'), argument.size()));
  return argument;
}

bool is_secret(std::string_view name, const std::vector<std::string>& secret_options) {
  return is_secret_name(name) ||
         std::find(secret_options.begin(), secret_options.end(), name) != secret_options.end();
}

}  // namespace

std::vector<std::string> mask_arguments(std::vector<std::string> arguments,
                                        const std::vector<std::string>& secret_options) {
  bool value_follows = false;
  for (std::string& argument : arguments) {
    const bool is_option = argument.size() > 1 && argument.front() == '-';
    if (std::exchange(value_follows, false) && !argument.starts_with("--")) {
      argument = masked;
      continue;
    }
    const std::size_t equals = argument.find('=');
    const std::string_view name = without_dashes(std::string_view(argument).substr(0, equals));
    const bool secret = is_secret(name, secret_options);
    if (secret && equals != std::string::npos) {
      argument = argument.substr(0, equals + 1) + std::string(masked);
    } else {
      value_follows = secret && is_option;
      argument = mask_urls(argument);
    }
  }
  return arguments;
}

}  // namespace gmr::sections
