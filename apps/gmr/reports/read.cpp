#include "reports/read.hpp"

#include <cerrno>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <streambuf>
#include <string_view>
#include <system_error>

#include "exit_codes.hpp"
#include "reports/parse.hpp"
#include "view/reports_in_log.hpp"

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

// The text of a report, piece by piece, as a stream.
class source_buffer final : public std::streambuf {
 public:
  explicit source_buffer(gmr::text_source& from) : from_(from) {}

 protected:
  int_type underflow() override {
    const std::string_view next = from_.next();
    if (next.empty()) return traits_type::eof();
    piece_ = next;
    setg(piece_.data(), piece_.data(), piece_.data() + piece_.size());
    return traits_type::to_int_type(piece_.front());
  }

 private:
  gmr::text_source& from_;
  std::string piece_;
};

class all_reports final : public report_receiver {
 public:
  explicit all_reports(std::string name) : name_(std::move(name)) {}

  void take_json(gmr::text_source& from, std::size_t line) override {
    source_buffer buffer{from};
    std::istream stream{&buffer};
    json text;
    try {
      stream >> text;
    } catch (const json::parse_error&) {
      throw gmr::unreadable_report{"the report is cut or damaged; ask for it again"};
    }
    if (!is_report(text)) throw gmr::unreadable_report{"this is JSON, but no whole report"};
    made_.push_back(parsed(text, name_ + ':' + std::to_string(line)));
  }
  void take_text(std::string /*text*/, std::size_t /*line*/) override {}

  [[nodiscard]] std::vector<report> made(const log_search_result& result) {
    if (!made_.empty()) {
      if (result.damaged != 0) std::cerr << "gmr: left out: " << result.first_damage << std::endl;
      return std::move(made_);
    }
    if (result.texts != 0)
      throw failure{exit_bad_data, name_ + ": this is a report in text" + as_json};
    if (result.damaged != 0) throw failure{exit_bad_data, result.first_damage};
    throw failure{exit_bad_data, name_ + ": there is no report in JSON" + as_json};
  }

 private:
  std::string name_;
  std::vector<report> made_;
};

std::vector<report> read_from(std::istream& from, const std::string& name) {
  all_reports found{name};
  const log_search_result result = search_log(from, name, found);
  if (from.bad())
    throw failure{exit_no_input, name + ": " + std::generic_category().message(errno)};
  return found.made(result);
}

std::vector<report> read_file(const std::string& name) {
  if (name == "-") return read_from(std::cin, "standard input");
  std::ifstream file{name, std::ios::binary};
  // A directory can be opened, and only reading tells.
  if (!file || (file.peek() == std::ifstream::traits_type::eof() && file.bad()))
    throw failure{exit_no_input, name + ": " + std::generic_category().message(errno)};
  file.clear();
  return read_from(file, name);
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
