#include "view/view_report.hpp"

#include <algorithm>
#include <boost/program_options/value_semantic.hpp>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <string_view>
#include <system_error>
#include <tuple>

#include "analyse/green_thread_groups.hpp"
#include "command_line.hpp"
#include "exit_codes.hpp"
#include "model/words.hpp"
#include "outline/outline.hpp"
#include "progress.hpp"
#include "view/reports_in_log.hpp"
#include "view/source_files.hpp"
#include "view/view.hpp"

namespace gmr_command {
namespace {

namespace po = boost::program_options;

constexpr command_help view_help{
    "gmr view [OPTIONS] FILE|-",
    "Shows a report that was made in JSON as text, HTML or JSON. FILE may be a log in which\n"
    "reports stand among other lines, also one of journalctl -o json, of Docker's json-file or\n"
    "of Kubernetes, where they are cut in pieces. Of several reports the last is shown. Reports\n"
    "in text are found in a log, too, and printed as they are.\n",
    "  gmr view report.json\n"
    "  gmr view --html report.json > report.html\n"
    "  gmr view --html --source ~/orders report.json > report.html\n"
    "  journalctl -u orders -o json | gmr view --number 2 -\n"};

template <class Words>
auto choice(const po::variables_map& values, const char* name, const Words& words)
    -> std::optional<decltype(words.front().meaning)> {
  if (!values.contains(name)) return std::nullopt;
  const std::string& given = values[name].as<std::string>();
  const auto at =
      std::ranges::find(words, std::string_view{given}, [](const auto& each) { return each.word; });
  if (at != words.end()) return at->meaning;
  throw failure{exit_command_line, "--" + std::string{name} + ": '" + given +
                                       "' is not acceptable: " + gmr::choices_text(words)};
}

struct wanted_view {
  std::string file;
  gmr::report_format format = gmr::report_format::text;
  std::optional<gmr::report_list> list;
  std::optional<gmr::group_order> order;
  std::filesystem::path source;
  std::size_t number = 0;
};

po::options_description view_options() {
  po::options_description described;
  const auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
  described.add_options()("format", text("FORMAT"), "text (the default), json, html or oslo")(
      "html", "the same as --format html")("list", text("LIST"),
                                           "groups, each or tree, of what the report has")(
      "order", text("ORDER"), "of groups: suspicious, oldest or largest first")(
      "source", text("DIR"), "show the lines of source below DIR that frames stand on")(
      "number", po::value<std::size_t>()->value_name("N"),
      "of several reports, the one of that number, from 1");
  return described;
}

wanted_view wanted_of(const po::variables_map& values) {
  const std::vector<std::string> files = operands(values);
  if (files.size() != 1) throw failure{exit_command_line, "one FILE is needed, or - for a pipe"};
  wanted_view out;
  out.file = files.front();
  out.format =
      choice(values, "format", gmr::format_words)
          .value_or(values.contains("html") ? gmr::report_format::html : gmr::report_format::text);
  out.list = choice(values, "list", gmr::list_words);
  out.order = choice(values, "order", gmr::order_words);
  if (values.contains("source")) {
    out.source = values["source"].as<std::string>();
    std::error_code error;
    if (!std::filesystem::is_directory(out.source, error))
      throw failure{exit_no_input, "--source: " + out.source.string() + " is no directory"};
  }
  if (values.contains("number")) {
    out.number = values["number"].as<std::size_t>();
    if (out.number == 0) throw failure{exit_command_line, "--number counts from 1"};
  }
  return out;
}

reports_found search(const wanted_view& wanted, const std::string& name) {
  const progress shown{"reading " + name};
  if (wanted.file == "-") return find_reports(std::cin, name, wanted.number);
  errno = 0;
  std::ifstream file{wanted.file, std::ios::binary};
  // A directory can be opened, and only reading tells.
  if (!file || (file.peek() == std::ifstream::traits_type::eof() && errno != 0))
    throw failure{exit_no_input, name + ": " + std::generic_category().message(errno)};
  file.clear();
  return find_reports(file, name, wanted.number);
}

report_in_log found_in(reports_found found, const wanted_view& wanted, const std::string& name) {
  if (!found.wanted) {
    if (!found.first_damage.empty()) throw failure{exit_bad_data, found.first_damage};
    if (found.count == 0) throw failure{exit_bad_data, name + ": there is no report in it"};
    throw failure{exit_bad_data, name + ": there is no report number " +
                                     std::to_string(wanted.number) + ", only " +
                                     std::to_string(found.count)};
  }
  if (found.damaged != 0) std::cerr << "gmr: left out: " << found.first_damage << std::endl;
  if (wanted.number == 0 && found.count > 1)
    std::cerr << "gmr: " << name << " has " << found.count << " reports; this is the last, of line "
              << found.line << "; --number shows another" << std::endl;
  return std::move(*found.wanted);
}

void set_list(gmr::report& to, gmr::report_list list) {
  const bool has_each = to.list == gmr::report_list::each;
  if (has_each != (list == gmr::report_list::each))
    throw failure{exit_bad_data, has_each
                                     ? "the report lists each green thread and has no groups"
                                     : "the report has groups and does not list each green thread"};
  to.list = list;
}

gmr::outlines::part_set parts_of(const gmr::json_report& from) {
  gmr::outlines::part_set out;
  for (const gmr::outlines::part each : gmr::outlines::parts)
    out[static_cast<std::size_t>(each)] =
        from.has(std::string{gmr::outlines::to_string(each)}.c_str());
  return out;
}

std::string drawn(const gmr::json_report& from, const wanted_view& wanted) {
  gmr::report made = from.make();
  if (wanted.list) set_list(made, *wanted.list);
  if (wanted.order) gmr::analyse::sort_groups(made.green_threads.groups, *wanted.order);
  gmr::outlines::outline shown = gmr::outlines::arrange(made, parts_of(from));
  gmr::outlines::source_lines code;
  if (!wanted.source.empty()) code = lines_of_source(made, wanted.source);
  shown.code = &code;
  return gmr::views::render(shown, wanted.format);
}

}  // namespace

int view_report(const std::vector<std::string>& arguments) {
  const std::optional<po::variables_map> values =
      read_arguments(arguments, view_options(), view_help);
  if (!values) return exit_done;
  const wanted_view wanted = wanted_of(*values);
  const std::string name = wanted.file == "-" ? "standard input" : wanted.file;
  const report_in_log found = found_in(search(wanted, name), wanted, name);
  if (const auto* const text = std::get_if<std::string>(&found)) {
    if (wanted.format != gmr::report_format::text)
      throw failure{exit_bad_data, name +
                                       ": this is a report in text, of which nothing else can "
                                       "be made; ask for one with format = json"};
    std::cout << *text;
    return exit_done;
  }
  try {
    std::cout << drawn(std::get<gmr::json_report>(found), wanted);
  } catch (const gmr::unreadable_report& error) {
    throw failure{exit_bad_data, name + ": " + error.what()};
  }
  return exit_done;
}

}  // namespace gmr_command
