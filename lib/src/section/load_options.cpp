// Loading options. Each source is parsed by Boost.ProgramOptions into options with the place where
// they were written, then stored; the sources are stored in order of precedence, since the first
// value stored wins. Boost's errors name an option: the place is found again from that.
#include <algorithm>
#include <boost/algorithm/string/case_conv.hpp>
#include <boost/algorithm/string/replace.hpp>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/parsers.hpp>
#include <map>
#include <optional>

#include "gmr/section/configuration.hpp"
#include "gmr/section/options.hpp"
#include "section/file_text.hpp"
#include "section/masking.hpp"
#include "section/parsed_source.hpp"

namespace gmr {
namespace {

namespace po = boost::program_options;
using sections::placed_error;
using sections::placed_option;
using place = configuration_error::place;

constexpr std::size_t most_file_bytes = 4 << 20;

struct parsed_source {
  place kind = place::command_line;
  int style = 0;
  std::vector<placed_option> options;
};

std::string display_name(const parsed_source& source, const std::string& option) {
  return source.kind == place::command_line ? "--" + option : option;
}

bool is_secret(const po::options_description& described, const std::string& option) {
  const auto* const found = described.find_nothrow(option, false);
  return sections::is_secret_name(option) ||
         (found != nullptr &&
          dynamic_cast<const secret_option*>(found->semantic().get()) != nullptr);
}

// What an error may say about that option: nothing of its value when it is secret.
std::string safe_message(const po::options_description& described, const parsed_source& source,
                         const std::string& option, const std::string& message) {
  if (is_secret(described, option)) {
    return "the value of secret option '" + display_name(source, option) + "' is not acceptable";
  }
  return sections::mask_urls(message);
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
                                  "unexpected argument '" + sections::mask_urls(shown) + "'");
      }
      source.options.push_back({std::move(option), "command line"});
    }
  } catch (const po::unknown_option& error) {
    // Without what follows =, which may be the value of a misspelt secret.
    const std::string token = error.get_option_name();
    throw configuration_error(place::command_line,
                              "unknown option '" + token.substr(0, token.find('=')) + "'");
  } catch (const po::error& error) {
    throw configuration_error(place::command_line, sections::mask_urls(error.what()));
  }
  return source;
}

// Switches without a value, such as --help, have no place in a file or in the environment.
bool is_settable(const po::option_description& option, const load_settings& settings) {
  return !option.long_name().empty() && option.long_name() != settings.config_file_option &&
         dynamic_cast<const po::untyped_value*>(option.semantic().get()) == nullptr;
}

po::options_description settable(const po::options_description& described,
                                 const load_settings& settings) {
  po::options_description result;
  for (const auto& option : described.options())
    if (is_settable(*option, settings)) result.add(option);
  return result;
}

// http.bind-address as PREFIX_HTTP__BIND_ADDRESS
std::string environment_name(const std::string& prefix, const std::string& option) {
  std::string name = boost::algorithm::to_upper_copy(option);
  boost::algorithm::replace_all(name, ".", "__");
  boost::algorithm::replace_all(name, "-", "_");
  return prefix + name;
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

const placed_option* find_option(const parsed_source& source, const std::string& name) {
  for (const placed_option& option : source.options)
    if (option.parsed.string_key == name) return &option;
  return nullptr;
}

std::string default_config_file(const po::options_description& described,
                                const std::string& option) {
  po::variables_map values;
  po::parsed_options nothing{&described};
  po::store(nothing, values);
  const auto found = values.find(option);
  if (found == values.end()) return {};
  if (const auto* text = boost::any_cast<std::string>(&found->second.value())) return *text;
  const auto* path = boost::any_cast<std::filesystem::path>(&found->second.value());
  return path != nullptr ? path->string() : std::string{};
}

parsed_source read_config_file(const std::string& file, bool may_be_missing,
                               const po::options_description& described, bool& was_read) {
  parsed_source source{.kind = place::file, .options = {}};
  const sections::file_text text = sections::read_file(file, most_file_bytes);
  if (may_be_missing && text.error == ENOENT) return source;
  if (!text.ok()) {
    throw placed_error(place::missing_file, file,
                       "can't be read: " + sections::error_text(text.error));
  }
  if (text.truncated) throw placed_error(place::file, file, "larger than 4 MiB");
  was_read = true;
  source.options = sections::parse_ini(text.content, file, described);
  return source;
}

parsed_source parse_config_file(const parsed_source& command_line, const parsed_source& environment,
                                const po::options_description& described,
                                const load_settings& settings, std::string& config_file) {
  const placed_option* named = find_option(command_line, settings.config_file_option);
  if (named == nullptr) named = find_option(environment, settings.config_file_option);
  std::string file;
  if (named != nullptr) {
    if (!named->parsed.value.empty()) file = named->parsed.value.front();
    if (file.empty()) {
      throw placed_error(place::command_line, {},
                         "'--" + settings.config_file_option + "' needs the name of a file");
    }
  } else if (!settings.config_file_option.empty()) {
    file = default_config_file(described, settings.config_file_option);
  }
  if (file.empty()) return {.kind = place::file, .options = {}};
  bool was_read = false;
  parsed_source source =
      read_config_file(file, named == nullptr, settable(described, settings), was_read);
  if (was_read) config_file = file;
  return source;
}

// Converts one option by itself; the error, if it has one.
std::optional<std::string> conversion_error(const po::options_description& described,
                                            const placed_option& option, int style) {
  const po::option_description* const known =
      described.find_nothrow(option.parsed.string_key, false);
  if (known == nullptr) return std::nullopt;
  try {
    boost::any ignored;
    known->semantic()->parse(ignored, option.parsed.value, false);
  } catch (po::error_with_option_name& error) {
    error.add_context(option.parsed.string_key,
                      option.parsed.original_tokens.empty() ? std::string{}
                                                            : option.parsed.original_tokens.front(),
                      style);
    return error.what();
  } catch (const std::exception& error) {
    return "option '" + option.parsed.string_key + "': " + error.what();
  }
  return std::nullopt;
}

// Storing failed: finds the option that is to blame, which for one given twice is the second.
[[noreturn]] void blame(const po::options_description& described, const parsed_source& source,
                        const std::exception& failure) {
  std::map<std::string, int> seen;
  for (const placed_option& option : source.options) {
    const std::string& name = option.parsed.string_key;
    if (const auto error = conversion_error(described, option, source.style)) {
      throw placed_error(source.kind, option.place, safe_message(described, source, name, *error));
    }
  }
  const auto* const named = dynamic_cast<const po::error_with_option_name*>(&failure);
  for (const placed_option& option : source.options) {
    const std::string& name = option.parsed.string_key;
    const std::string shown = display_name(source, name);
    if (named != nullptr && ++seen[name] == 2 && named->get_option_name() == shown) {
      throw placed_error(source.kind, option.place,
                         "option '" + shown + "' is given more than once");
    }
  }
  throw placed_error(source.kind, {}, sections::mask_urls(failure.what()));
}

bool is_composing(const po::options_description& described, const std::string& option) {
  const po::option_description* const known = described.find_nothrow(option, false);
  return known != nullptr && known->semantic()->is_composing();
}

void remember(const po::options_description& described, const parsed_source& source,
              loaded_options& loaded) {
  std::map<std::string, std::string> places;
  std::map<std::string, std::string> texts;
  for (const placed_option& option : source.options) {
    const std::string& name = option.parsed.string_key;
    if (loaded.sources.contains(name) && !is_composing(described, name)) continue;
    std::string& places_of = places[name];
    if (!places_of.ends_with(option.place))
      places_of += (places_of.empty() ? "" : ", ") + option.place;
    for (const std::string& token : option.parsed.value)
      texts[name] += (texts[name].empty() ? "" : " ") + token;
  }
  const auto append = [](auto& to, const auto& from, std::string_view separator) {
    for (const auto& [name, text] : from) {
      std::string& content = to[name];
      content += (content.empty() ? "" : std::string(separator)) + text;
    }
  };
  append(loaded.sources, places, ", ");
  append(loaded.texts, texts, " ");
}

void store(const po::options_description& described, const parsed_source& source,
           loaded_options& loaded) {
  po::parsed_options parsed{&described, source.style};
  for (const placed_option& option : source.options)
    parsed.options.push_back(option.parsed);
  try {
    po::store(parsed, loaded.values);
  } catch (const std::exception& failure) {
    blame(described, source, failure);
  }
  remember(described, source, loaded);
}

bool stands_alone(const parsed_source& command_line, const load_settings& settings) {
  for (const std::string& name : settings.standalone)
    if (find_option(command_line, name) != nullptr) return true;
  return false;
}

// What po::notify does, an option at a time so that an error can be placed.
void notify(const po::options_description& described, const loaded_options& loaded) {
  for (const auto& option : described.options()) {
    const std::string name = sections::full_name(*option);
    const auto found = loaded.values.find(name);
    const bool present = found != loaded.values.end() && !found->second.empty();
    if (!present && option->semantic()->is_required()) {
      throw loaded.error_at(name, "option '" + name + "' is required and not set");
    }
    if (!present) continue;
    try {
      option->semantic()->notify(found->second.value());
    } catch (po::error_with_option_name& error) {
      error.set_option_name(name);
      throw loaded.error_at(name, safe_message(described, {}, name, error.what()));
    } catch (const std::exception& error) {
      throw loaded.error_at(
          name, "option '" + name + "': " + safe_message(described, {}, name, error.what()));
    }
  }
}

}  // namespace

int configuration_error::exit_code() const noexcept {
  switch (where_) {
    case place::command_line:
      return 64;
    case place::missing_file:
      return 66;
    case place::environment:
    case place::file:
      break;
  }
  return 78;
}

configuration_error loaded_options::error_at(const std::string& option,
                                             const std::string& message) const {
  const auto found = sources.find(option);
  if (found == sources.end()) {
    return placed_error(config_file.empty() ? place::command_line : place::file, config_file,
                        message);
  }
  const std::string& origin = found->second;
  if (origin.starts_with("command line")) return {place::command_line, message};
  const bool variable = origin.starts_with("environment ");
  return placed_error(variable ? place::environment : place::file,
                      origin.substr(0, origin.find(", ")), message);
}

loaded_options load_options(int argc, const char* const* argv,
                            const po::options_description& described,
                            const load_settings& settings) {
  loaded_options loaded;
  const parsed_source command_line = parse_command_line(argc, argv, described);
  store(described, command_line, loaded);
  if (stands_alone(command_line, settings)) return loaded;
  const parsed_source environment = parse_environment(described, settings);
  const parsed_source file =
      parse_config_file(command_line, environment, described, settings, loaded.config_file);
  store(described, environment, loaded);
  store(described, file, loaded);
  notify(described, loaded);
  return loaded;
}

}  // namespace gmr
