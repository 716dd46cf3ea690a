// The Configuration section.
#include <boost/core/demangle.hpp>

#include "gmr/options/configuration.hpp"
#include "gmr/options/options.hpp"
#include "options/option_text.hpp"
#include "options/parsed_source.hpp"
#include "text/masking.hpp"

namespace gmr {
namespace {

namespace po = boost::program_options;

// The text of a default value, which Boost keeps as the end of the placeholder: "arg (=text)".
std::string default_text(const po::option_description& option) {
  const std::string shown = option.format_parameter();
  const std::size_t begin = shown.rfind("(=");
  if (begin == std::string::npos || !shown.ends_with(')')) return {};
  return shown.substr(begin + 2, shown.size() - begin - 3);
}

class describer final {
 public:
  describer(const po::variables_map& values, const std::map<std::string, std::string>& sources,
            const std::map<std::string, std::string>& texts)
      : values_(values), sources_(sources), texts_(texts) {}

  void describe(const po::option_description& option, std::vector<option_entry>& entries) const {
    const std::string name = loading::full_name(option);
    if (!name.ends_with('*')) {
      if (is_shown(option, name)) entries.push_back(entry(option, name));
      return;
    }
    const std::string prefix = name.substr(0, name.size() - 1);
    for (const auto& [key, content] : values_)
      if (key.starts_with(prefix)) entries.push_back(entry(option, key));
  }

 private:
  // A switch without section, such as --help, is part of the configuration only when it is set.
  [[nodiscard]] bool is_shown(const po::option_description& option, const std::string& name) const {
    const bool is_switch = option.semantic()->max_tokens() == 0;
    return !is_switch || name.find('.') != std::string::npos || is_set(name);
  }

  [[nodiscard]] bool is_set(const std::string& name) const {
    const auto found = values_.find(name);
    return found != values_.end() && !found->second.empty() && !found->second.defaulted();
  }

  [[nodiscard]] option_entry entry(const po::option_description& option,
                                   const std::string& name) const {
    const std::size_t dot = name.rfind('.');
    option_entry result;
    if (dot != std::string::npos) result.section = name.substr(0, dot);
    result.name = dot == std::string::npos ? name : name.substr(dot + 1);
    result.content = content_of(option, name);
    result.source = source_of(name);
    return result;
  }

  [[nodiscard]] std::string source_of(const std::string& name) const {
    if (!is_set(name)) return "default";
    const auto found = sources_.find(name);
    return found == sources_.end() ? "set" : found->second;
  }

  [[nodiscard]] value content_of(const po::option_description& option,
                                 const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end() || found->second.empty()) return {};
    const bool declared = dynamic_cast<const secret_option*>(option.semantic().get()) != nullptr;
    if (declared || texts::is_secret_name(name)) return texts::masked;
    if (auto known = loading::option_value(found->second.value())) return *known;
    return foreign_content(option, name, found->second);
  }

  // A type of the service's own: as it was written, or at least which type it is.
  [[nodiscard]] value foreign_content(const po::option_description& option, const std::string& name,
                                      const po::variable_value& content) const {
    if (content.defaulted()) {
      if (const std::string text = default_text(option); !text.empty())
        return texts::mask_urls(text);
    } else if (const auto text = texts_.find(name); text != texts_.end()) {
      return texts::mask_urls(text->second);
    }
    return "a " + boost::core::demangle(content.value().type().name());
  }

  const po::variables_map& values_;
  const std::map<std::string, std::string>& sources_;
  const std::map<std::string, std::string>& texts_;
};

std::vector<option_entry> describe_all(const po::options_description& described,
                                       const describer& with) {
  std::vector<option_entry> entries;
  for (const auto& option : described.options())
    with.describe(*option, entries);
  return entries;
}

}  // namespace

std::vector<option_entry> describe_configuration(
    const po::options_description& described, const po::variables_map& values,
    const std::map<std::string, std::string>& sources) {
  const std::map<std::string, std::string> no_texts;
  return describe_all(described, describer{values, sources, no_texts});
}

std::vector<option_entry> describe_configuration(const po::options_description& described,
                                                 const loaded_options& loaded) {
  return describe_all(described, describer{loaded.values, loaded.sources, loaded.texts});
}

}  // namespace gmr
