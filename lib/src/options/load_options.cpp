// Loading options. Each source is parsed by Boost.ProgramOptions into options with the place where
// they were written, then stored; the sources are stored in order of precedence, since the first
// value stored wins.
#include <boost/program_options/parsers.hpp>
#include <cerrno>
#include <filesystem>

#include "gmr/options/configuration.hpp"
#include "gmr/options/options.hpp"
#include "options/masking.hpp"
#include "options/parsed_source.hpp"
#include "os/errors.hpp"
#include "os/file_text.hpp"

namespace gmr {
namespace {

namespace po = boost::program_options;
using loading::find_option;
using loading::parsed_source;
using loading::placed_error;
using loading::placed_option;
using place = configuration_error::place;

constexpr std::size_t most_file_bytes = 4 << 20;

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
  const os::file_text text = os::read_file(file, most_file_bytes);
  if (may_be_missing && text.error == ENOENT) return source;
  if (!text.ok()) {
    throw placed_error(place::missing_file, file, "can't be read: " + os::error_text(text.error));
  }
  if (text.truncated) throw placed_error(place::file, file, "larger than 4 MiB");
  was_read = true;
  source.options = loading::parse_ini(text.content, file, described);
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
      read_config_file(file, named == nullptr, loading::settable(described, settings), was_read);
  if (was_read) config_file = file;
  return source;
}

bool stands_alone(const parsed_source& command_line, const load_settings& settings) {
  for (const std::string& name : settings.standalone)
    if (find_option(command_line, name) != nullptr) return true;
  return false;
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

settings settings_from(const loaded_options& loaded) {
  try {
    return settings_from(loaded.values);
  } catch (const unavailable_option& error) {
    throw configuration_error{configuration_error::place::file,
                              loaded.error_at(error.option(), error.what()).what()};
  } catch (const option_error& error) {
    throw loaded.error_at(error.option(), error.what());
  }
}

loaded_options load_options(int argc, const char* const* argv,
                            const po::options_description& described,
                            const load_settings& settings) {
  loaded_options loaded;
  const parsed_source command_line = loading::parse_command_line(argc, argv, described);
  loading::store(described, command_line, loaded);
  if (stands_alone(command_line, settings)) return loaded;
  const parsed_source environment = loading::parse_environment(described, settings);
  const parsed_source file =
      parse_config_file(command_line, environment, described, settings, loaded.config_file);
  loading::store(described, environment, loaded);
  loading::store(described, file, loaded);
  loading::notify(described, loaded);
  loaded.shown = describe_configuration(described, loaded);
  loaded.secrets = loading::secret_option_names(described);
  return loaded;
}

}  // namespace gmr
