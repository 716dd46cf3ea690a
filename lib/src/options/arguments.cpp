// Masks the arguments of a command line.
#include <algorithm>
#include <boost/program_options/cmdline.hpp>
#include <boost/program_options/options_description.hpp>
#include <utility>

#include "gmr/options/options.hpp"
#include "options/masking.hpp"
#include "text/masking.hpp"

namespace gmr::loading {
namespace {

std::string_view without_dashes(std::string_view argument) {
  argument.remove_prefix(std::min(argument.find_first_not_of('-'), argument.size()));
  return argument;
}

bool is_secret(std::string_view name, const std::vector<std::string>& secret_options) {
  return texts::is_secret_name(name) ||
         std::find(secret_options.begin(), secret_options.end(), name) != secret_options.end();
}

// Where the value of a secret short option may begin; npos: there is none. One letter may be the
// value of another option: then too much is hidden.
std::size_t value_of_short(std::string_view argument,
                           const std::vector<std::string>& secret_options) {
  if (argument.size() < 2 || argument[0] != '-' || argument[1] == '-') return argument.npos;
  for (std::size_t at = 1; at < argument.size(); ++at) {
    const std::string_view letter = argument.substr(at, 1);
    const auto is_letter = [&](std::string_view name) {
      return name.size() == 2 && name.front() == '-' && name.substr(1) == letter;
    };
    if (std::any_of(secret_options.begin(), secret_options.end(), is_letter)) return at + 1;
  }
  return argument.npos;
}

}  // namespace

std::vector<std::string> secret_option_names(
    const boost::program_options::options_description& described) {
  std::vector<std::string> names;
  namespace style = boost::program_options::command_line_style;
  for (const auto& option : described.options()) {
    const bool declared = dynamic_cast<const secret_option*>(option->semantic().get()) != nullptr;
    if (declared) names.push_back(option->long_name());
    if (!declared && !texts::is_secret_name(option->long_name())) continue;
    std::string brief = option->canonical_display_name(style::allow_dash_for_short);
    if (brief.size() == 2 && brief.front() == '-') names.push_back(std::move(brief));
  }
  return names;
}

std::vector<std::string> mask_arguments(std::vector<std::string> arguments,
                                        const std::vector<std::string>& secret_options) {
  bool value_follows = false;
  for (std::string& argument : arguments) {
    const bool is_option = argument.size() > 1 && argument.front() == '-';
    if (std::exchange(value_follows, false) && !argument.starts_with("--")) {
      argument = texts::masked;
      continue;
    }
    if (const std::size_t value = value_of_short(argument, secret_options);
        value != argument.npos) {
      value_follows = value == argument.size();
      if (!value_follows) argument.replace(value, argument.npos, texts::masked);
      continue;
    }
    const std::size_t equals = argument.find('=');
    const std::string_view name = without_dashes(std::string_view(argument).substr(0, equals));
    const bool secret = is_secret(name, secret_options);
    if (secret && equals != std::string::npos) {
      argument = argument.substr(0, equals + 1) + std::string(texts::masked);
    } else {
      value_follows = secret && is_option;
      argument = texts::mask_urls(argument);
    }
  }
  return arguments;
}

}  // namespace gmr::loading
