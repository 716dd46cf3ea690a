// Converts and stores options. Boost's errors name an option: where it was written is found again
// from that.
#include <boost/program_options/errors.hpp>
#include <boost/program_options/parsers.hpp>
#include <map>
#include <optional>

#include "gmr/options/options.hpp"
#include "options/masking.hpp"
#include "options/parsed_source.hpp"
#include "text/masking.hpp"

namespace gmr::loading {
namespace {

namespace po = boost::program_options;
using place = configuration_error::place;

std::string display_name(const parsed_source& source, const std::string& option) {
  return source.kind == place::command_line ? "--" + option : option;
}

bool is_secret(const po::options_description& described, const std::string& option) {
  const auto* const found = described.find_nothrow(option, false);
  return texts::is_secret_name(option) ||
         (found != nullptr &&
          dynamic_cast<const secret_option*>(found->semantic().get()) != nullptr);
}

// What an error may say about that option: nothing of its value when it is secret.
std::string safe_message(const po::options_description& described, const parsed_source& source,
                         const std::string& option, const std::string& message) {
  if (is_secret(described, option)) {
    return "the value of secret option '" + display_name(source, option) + "' is not acceptable";
  }
  return texts::mask_urls(message);
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
  throw placed_error(source.kind, {}, texts::mask_urls(failure.what()));
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

}  // namespace

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

void notify(const po::options_description& described, const loaded_options& loaded) {
  for (const auto& option : described.options()) {
    const std::string name = full_name(*option);
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

}  // namespace gmr::loading
