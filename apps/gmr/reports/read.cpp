#include "reports/read.hpp"

#include <cerrno>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <system_error>

#include "exit_codes.hpp"
#include "reports/parse.hpp"

namespace gmr_command::reports {
namespace {

using nlohmann::json;

constexpr const char* as_json = "; ask for one with format = json";

report parsed(const json& text, const std::string& where) {
  try {
    report made = parse(text);
    made.source = where;
    return made;
  } catch (const json::exception& error) {
    throw failure{exit_bad_data, where + ": this is no report of a known form: " + error.what()};
  }
}

class file_reader final {
 public:
  explicit file_reader(std::string name) : name_(std::move(name)) {}

  std::vector<report> read(std::istream& from) {
    std::string text;
    for (std::size_t number = 1; std::getline(from, text); ++number)
      take_line(text, number);
    if (from.bad())
      throw failure{exit_no_input, name_ + ": " + std::generic_category().message(errno)};
    if (found_.empty()) take_whole();
    return std::move(found_);
  }

 private:
  void take_line(const std::string& text, std::size_t number) {
    has_banner_ = has_banner_ || text.find("==== Guru Meditation") != text.npos;
    if (found_.empty()) whole_.append(text).append("\n");
    if (!text.starts_with('{')) return;
    const json line = json::parse(text, nullptr, false);
    const std::string where = name_ + ':' + std::to_string(number);
    if (is_report(line)) {
      found_.push_back(parsed(line, where));
      whole_.clear();
    } else if (line.is_discarded() && text.starts_with("{\"schema\"")) {
      throw failure{exit_bad_data, where + ": the report is cut or damaged; ask for it again"};
    }
  }

  // A report that somebody has formatted.
  void take_whole() {
    const json whole = json::parse(whole_, nullptr, false);
    if (is_report(whole)) {
      found_.push_back(parsed(whole, name_));
    } else if (has_banner_) {
      throw failure{exit_bad_data, name_ + ": this is a report in text" + as_json};
    } else {
      throw failure{exit_bad_data, name_ + ": there is no report in JSON, or it is cut" + as_json};
    }
  }

  std::string name_;
  std::vector<report> found_;
  std::string whole_;
  bool has_banner_ = false;
};

std::vector<report> read_file(const std::string& name) {
  if (name == "-") return file_reader{"standard input"}.read(std::cin);
  std::ifstream file{name};
  // A directory can be opened, and only reading tells.
  if (!file || (file.peek() == std::ifstream::traits_type::eof() && file.bad()))
    throw failure{exit_no_input, name + ": " + std::generic_category().message(errno)};
  file.clear();
  return file_reader{name}.read(file);
}

}  // namespace

std::vector<report> read(const std::vector<std::string>& files) {
  std::vector<report> all;
  for (const std::string& name : files) {
    std::vector<report> some = read_file(name);
    all.insert(all.end(), std::make_move_iterator(some.begin()),
               std::make_move_iterator(some.end()));
  }
  return all;
}

}  // namespace gmr_command::reports
