#include <boost/program_options/errors.hpp>
#include <boost/program_options/parsers.hpp>
#include <sstream>

#include "options/parsed_source.hpp"
#include "text/lines.hpp"

namespace gmr::loading {
namespace {

namespace po = boost::program_options;

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

// As the parser of Boost sees the line: what follows # is a comment.
std::string_view without_comment(std::string_view line) {
  return texts::trimmed(line.substr(0, line.find('#')));
}

bool is_section(std::string_view line) {
  return line.size() > 1 && line.front() == '[' && line.back() == ']';
}

bool is_known_section(const po::options_description& described, std::string_view section) {
  const std::string prefix = std::string(section) + '.';
  for (const auto& option : described.options()) {
    const std::string& name = option->long_name();
    if (name.starts_with(prefix)) return true;
    if (name.ends_with('*') && prefix.starts_with(name.substr(0, name.size() - 1))) return true;
  }
  return false;
}

std::string unknown_message(const po::options_description& described, std::string_view section,
                            const std::string& option) {
  if (!section.empty() && !is_known_section(described, section)) {
    return "unknown section [" + std::string(section) + "]";
  }
  return "unknown option '" + option + "'";
}

// One line together with the section it belongs to.
class line_parser final {
 public:
  line_parser(const std::string& file, const po::options_description& described)
      : file_(file), described_(described) {}

  void parse(std::string_view line, std::size_t number, std::vector<placed_option>& found) {
    const std::string_view meaning = without_comment(line);
    if (meaning.empty() || meaning.front() == ';') return;
    const std::string place = file_ + ':' + std::to_string(number);
    if (meaning.find('\0') != std::string_view::npos) fail(place, "a NUL byte: not a text file");
    if (is_section(meaning)) {
      section_ = meaning;
      return;
    }
    std::istringstream text{std::string(section_) + '\n' + std::string(meaning) + '\n'};
    try {
      for (po::option& option : po::parse_config_file(text, described_).options)
        found.push_back({std::move(option), place});
    } catch (const po::unknown_option& error) {
      fail(place, unknown_message(described_, section_name(), error.get_option_name()));
    } catch (const po::invalid_config_file_syntax&) {
      // Not what() of the error: the line may hold a secret.
      fail(place, "neither [section] nor name = value");
    }
  }

 private:
  [[noreturn]] static void fail(const std::string& place, const std::string& message) {
    throw placed_error(configuration_error::place::file, place, message);
  }

  [[nodiscard]] std::string_view section_name() const {
    return section_.empty() ? section_ : section_.substr(1, section_.size() - 2);
  }

  const std::string& file_;
  const po::options_description& described_;
  std::string_view section_;  // with its brackets
};

}  // namespace

std::string full_name(const po::option_description& option) {
  return option.long_name().empty() ? option.key({}) : option.long_name();
}

std::vector<placed_option> parse_ini(std::string_view content, const std::string& file,
                                     const po::options_description& described) {
  if (content.starts_with(byte_order_mark)) content.remove_prefix(byte_order_mark.size());
  std::vector<placed_option> found;
  line_parser parser{file, described};
  for (std::size_t number = 1; !content.empty(); ++number)
    parser.parse(texts::take_line(content), number, found);
  return found;
}

configuration_error placed_error(configuration_error::place where, const std::string& place,
                                 const std::string& message) {
  const bool named = where != configuration_error::place::command_line && !place.empty();
  return {where, named ? place + ": " + message : message};
}

}  // namespace gmr::loading
