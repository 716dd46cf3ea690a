#include "report/report_among.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

namespace gmr_command {
namespace {

constexpr std::size_t nowhere = std::string_view::npos;
constexpr std::string_view ruled_line =
    "========================================================================\n";

// Where a line begins with that text, at `from` or behind it.
std::size_t find_line(std::string_view lines, std::string_view text, std::size_t from = 0) {
  std::size_t at = lines.find(text, from);
  while (at != nowhere && at != 0 && lines[at - 1] != '\n')
    at = lines.find(text, at + 1);
  return at;
}

// Behind the line that begins there; nowhere where that has no end.
std::size_t end_of_line(std::string_view lines, std::size_t at) {
  const std::size_t end = at == nowhere ? nowhere : lines.find('\n', at);
  return end == nowhere ? nowhere : end + 1;
}

// The number that follows that text; nothing where there is none.
std::optional<pid_t> number_behind(std::string_view lines, std::string_view text) {
  const std::size_t at = lines.find(text);
  if (at == nowhere) return std::nullopt;
  std::string_view rest = lines.substr(at + text.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  pid_t number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  return error == std::errc{} ? std::optional{number} : std::nullopt;
}

std::size_t end_of_text(std::string_view report, bool /*is_quiet*/) {
  const std::size_t title = find_line(report, "==== End of Guru Meditation\n");
  return end_of_line(report, end_of_line(report, title));
}

std::optional<pid_t> pid_in_text(std::string_view report) {
  const std::size_t section = find_line(report, "==== Process\n");
  if (section == nowhere) return std::nullopt;
  const std::string_view rest = report.substr(section + 1);
  return number_behind(rest.substr(0, find_line(rest, "==== ")), "\npid:");
}

std::size_t end_of_json(std::string_view report, bool /*is_quiet*/) {
  return end_of_line(report, 0);
}

std::optional<pid_t> pid_in_json(std::string_view report) {
  const auto content = nlohmann::json::parse(report, nullptr, false);
  if (content.is_discarded()) return 0;  // it was cut
  if (!content.is_object() || !content.contains("process")) return std::nullopt;
  const auto& process = content["process"];
  if (!process.is_object() || !process.contains("pid") || !process["pid"].is_number_integer())
    return std::nullopt;
  return process["pid"].get<pid_t>();
}

std::size_t end_of_html(std::string_view report, bool /*is_quiet*/) {
  return end_of_line(report, find_line(report, "</html>\n"));
}

std::optional<pid_t> pid_in_html(std::string_view report) {
  return number_behind(report, "<dt>pid</dt><dd>").value_or(0);
}

// "Cause: ...", "deadlock: ...", "Note: ...": what the last section has.
bool is_finding(std::string_view line) {
  const std::size_t word = std::min(line.find(':'), line.size());
  return word != 0 && line.substr(word).starts_with(": ") &&
         std::ranges::all_of(line.substr(0, word), [](char each) {
           return each == '_' || (each >= 'a' && each <= 'z') || each == 'C' || each == 'T' ||
                  each == 'N';
         });
}

std::size_t end_of_oslo(std::string_view report, bool is_quiet) {
  constexpr std::string_view title =
      "====                            Findings                            ====\n";
  std::size_t at = end_of_line(report, end_of_line(report, find_line(report, title)));
  const std::size_t time = at == nowhere ? nowhere : find_line(report, "Time: ", at);
  if (end_of_line(report, time) == nowhere) return nowhere;
  for (std::size_t end = end_of_line(report, at); end != nowhere; end = end_of_line(report, at)) {
    if (!is_finding(report.substr(at, end - at))) return at;
    at = end;
  }
  return is_quiet && at == report.size() ? at : nowhere;
}

std::optional<pid_t> pid_in_oslo(std::string_view report) {
  return number_behind(report, "\nProcess ").value_or(0);
}

// 0 is nobody: a form that others write, too, has to say whose it is.
struct report_form {
  std::string beginning;
  std::size_t (*end)(std::string_view report, bool is_quiet);
  std::optional<pid_t> (*pid)(std::string_view report);
};

const std::array<report_form, 4>& forms() {
  static const std::array<report_form, 4> all{
      {{std::string{ruled_line} + "==== Guru Meditation\n", end_of_text, pid_in_text},
       {"{\"schema\":", end_of_json, pid_in_json},
       {"<!DOCTYPE html>\n", end_of_html, pid_in_html},
       {std::string{ruled_line} +
            "====                        Guru Meditation                         ====\n",
        end_of_oslo, pid_in_oslo}}};
  return all;
}

struct beginning {
  std::size_t at = nowhere;
  const report_form* form = nullptr;
};

beginning next_beginning(std::string_view lines, std::size_t from) {
  beginning first;
  for (const report_form& each : forms())
    if (const std::size_t at = find_line(lines, each.beginning, from); at < first.at)
      first = {at, &each};
  return first;
}

// The end of another one is not that of one that was cut.
std::string_view until_next(std::string_view report, const report_form& form) {
  return report.substr(0, find_line(report, form.beginning, 1));
}

}  // namespace

std::optional<std::string> report_among(std::string& lines, pid_t pid, bool is_quiet) {
  std::size_t from = 0;
  std::size_t unfinished = nowhere;
  for (;;) {
    const beginning found = next_beginning(lines, from);
    if (found.form == nullptr) break;
    const std::string_view all = std::string_view{lines}.substr(found.at);
    const std::string_view rest = until_next(all, *found.form);
    const std::size_t size = found.form->end(rest, is_quiet || rest.size() < all.size());
    if (size == nowhere) {
      // It goes on, or was cut, and another one begins behind it.
      unfinished = std::min(unfinished, found.at);
      from = found.at + 1;
      continue;
    }
    if (found.form->pid(rest.substr(0, size)).value_or(pid) == pid)
      return std::string{rest.substr(0, size)};
    from = found.at + size;
  }
  // What may still become a report: one that has begun, or the last lines.
  constexpr std::size_t longest_beginning = 2 * ruled_line.size();
  const std::size_t tail = lines.size() - std::min(lines.size(), longest_beginning);
  const std::size_t kept = unfinished != nowhere ? unfinished : std::max(from, tail);
  lines.erase(0, kept == 0 ? 0 : lines.rfind('\n', kept - 1) + 1);
  return std::nullopt;
}

}  // namespace gmr_command
