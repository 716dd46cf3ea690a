// Options from the command line and from the environment, and those a file may set.
#include <algorithm>
#include <boost/algorithm/string/case_conv.hpp>
#include <boost/algorithm/string/replace.hpp>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/parsers.hpp>
#include <map>

#include "options/parsed_source.hpp"
#include "text/masking.hpp"

namespace gmr::loading {
namespace {

namespace po = boost::program_options;
using place = configuration_error::place;

// Switches without a value, such as --help, have no place in a file or in the environment.
bool is_settable(const po::option_description& option, const load_settings& settings) {
  return !option.long_name().empty() && option.long_name() != settings.config_file_option &&
         dynamic_cast<const po::untyped_value*>(option.semantic().get()) == nullptr;
}

// http.bind-address as PREFIX_HTTP__BIND_ADDRESS
std::string environment_name(const std::string& prefix, const std::string& option) {
  std::string name = boost::algorithm::to_upper_copy(option);
  boost::algorithm::replace_all(name, ".", "__");
  boost::algorithm::replace_all(name, "-", "_");
  return prefix + name;
}

}  // namespace

const placed_option* find_option(const parsed_source& source, const std::string& name) {
  for (const placed_option& option : source.options)
    if (option.parsed.string_key == name) return &option;
  return nullptr;
}

parsed_source parse_command_line(int argc, const char* const* argv,
                                 const po::options_description& described) {
  namespace style = po::command_line_style;
  parsed_source source;
  try {
    // Not argc and argv: Boost does not take a program that was given no arguments at all.
    const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    po::parsed_options parsed = po::command_line_parser(arguments)
                                    .options(described)
                                    .style(style::unix_style & ~style::allow_guessing)
                                    .run();
    source.style = parsed.m_options_prefix;
    for (po::option& option : parsed.options) {
      if (option.string_key.empty()) {
        const std::string shown = option.value.empty() ? std::string{} : option.value.front();
        throw configuration_error(place::command_line,
                                  "unexpected argument '" + texts::mask_urls(shown) + "'");
      }
      source.options.push_back({std::move(option), "command line"});
    }
  } catch (const po::unknown_option& error) {
    // Without what follows =, which may be the value of a misspelt secret.
    const std::string token = error.get_option_name();
    throw configuration_error(place::command_line,
                              "unknown option '" + token.substr(0, token.find('=')) + "'");
  } catch (const po::error& error) {
    throw configuration_error(place::command_line, texts::mask_urls(error.what()));
  }
  return source;
}

po::options_description settable(const po::options_description& described,
                                 const load_settings& settings) {
  po::options_description result;
  for (const auto& option : described.options())
    if (is_settable(*option, settings)) result.add(option);
  return result;
}

parsed_source parse_environment(const po::options_description& described,
                                const load_settings& settings) {
  parsed_source source{.kind = place::environment, .options = {}};
  if (settings.environment_prefix.empty()) return source;
  std::map<std::string, std::string> names;  // of options, by variable
  for (const auto& option : described.options()) {
    const std::string& name = option->long_name();
    const bool wanted = is_settable(*option, settings) || name == settings.config_file_option;
    if (wanted && !name.ends_with('*'))
      names.emplace(environment_name(settings.environment_prefix, name), name);
  }
  const auto to_option = [&](const std::string& variable) {
    const auto found = names.find(variable);
    return found == names.end() ? std::string{} : found->second;
  };
  for (po::option& option : po::parse_environment(described, to_option).options) {
    std::string origin =
        "environment " + environment_name(settings.environment_prefix, option.string_key);
    source.options.push_back({std::move(option), std::move(origin)});
  }
  return source;
}

}  // namespace gmr::loading
