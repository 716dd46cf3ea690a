#include "report/report.hpp"

#include <boost/program_options/value_semantic.hpp>
#include <cerrno>
#include <charconv>
#include <iostream>
#include <optional>
#include <system_error>

#include "command_line.hpp"
#include "exit_codes.hpp"
#include "outline/outline.hpp"
#include "report/by_signal.hpp"
#include "report/by_socket.hpp"
#include "report/process.hpp"
#include "report/services.hpp"

namespace gmr_command {
namespace {

namespace po = boost::program_options;

constexpr command_help report_help{
    "gmr report [OPTIONS] PID|SERVICE",
    "Asks a running process for a report and prints it: on its socket (option socket of\n"
    "[oslo_reports]), or else by the signal that it handles. A process that does not say\n"
    "that it makes reports is not sent anything.\n",
    "  gmr report 4711\n"
    "  gmr report orders --format json > now.json\n"
    "  gmr report orders --sections threads,green_threads --order oldest\n"
    "  gmr report --socket /run/orders/report.sock\n"};

std::string parts_text() {
  std::string all;
  for (const gmr::outlines::part each : gmr::outlines::parts)
    all.append(all.empty() ? "some of " : ", ").append(gmr::outlines::to_string(each));
  return all + "; ',' between them";
}

po::options_description report_options() {
  po::options_description described;
  const auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
  described.add_options()("format", text("FORMAT"),
                          "text, json, html or oslo; by socket only, as the next three")(
      "list", text("LIST"), "groups, each or tree")("order", text("ORDER"),
                                                    "suspicious, oldest or largest")(
      "sections", text("NAMES"), parts_text().c_str())("socket", text("ADDRESS"),
                                                       "ask there: a path, or @NAME");
  return described;
}

std::string text_of(const po::variables_map& values, const char* name) {
  return values.contains(name) ? values[name].as<std::string>() : std::string{};
}

std::optional<pid_t> process_number(const std::string& text) {
  pid_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc{} || end != text.data() + text.size() || id <= 0) return std::nullopt;
  return id;
}

std::string ask_at(const std::string& address, std::optional<pid_t> process,
                   const wanted_form& form) {
  const socket_answer answer = ask_on_socket(address, {.process = process, .is_told = false}, form);
  if (answer.unreachable.empty()) return answer.report;
  throw failure{exit_unavailable, answer.unreachable};
}

gmr::os::announcement known_announcement(pid_t id) {
  const told_announcement told = announcement_of(id);
  const std::string name = "process " + std::to_string(id);
  if (told.error == EACCES || told.error == EPERM)
    throw failure{exit_not_permitted, name + " may be asked by its user and root only"};
  if (!told.content)
    throw failure{exit_unavailable,
                  name + " does not say that it makes reports, so it is not sent a signal"};
  return *told.content;
}

std::string ask_process(pid_t id, const wanted_form& form) {
  const process asked{id};
  const gmr::os::announcement told = known_announcement(id);
  if (!told.socket.empty()) {
    const socket_answer answer = ask_on_socket(told.socket, {.process = id, .is_told = true}, form);
    if (answer.unreachable.empty()) return answer.report;
    std::cerr << "gmr: " << answer.unreachable << std::endl;
  }
  if (!form.is_usual())
    std::cerr << "gmr: asked by signal, the report has the form that the process was set to"
              << std::endl;
  return ask_by_signal(asked, told);
}

std::string ask_service(const std::string& name, const wanted_form& form) {
  const std::vector<found_service> found = find_services(name);
  if (found.empty())
    throw failure{exit_unavailable, "no process that may be looked at says that it is '" + name +
                                        "' and makes reports"};
  if (found.size() > 1) {
    std::string all;
    for (const found_service& each : found)
      all += (all.empty() ? "" : ", ") + name_of(each);
    throw failure{exit_command_line, "which '" + name + "'? There are " + all};
  }
  const found_service& only = found.front();
  return only.process ? ask_process(*only.process, form) : ask_at(*only.socket, {}, form);
}

}  // namespace

int ask_for_report(const std::vector<std::string>& arguments) {
  const auto values = read_arguments(arguments, report_options(), report_help);
  if (!values) return exit_done;
  const std::vector<std::string> asked = operands(*values);
  const std::string socket = text_of(*values, "socket");
  if (asked.size() > 1 || (asked.empty() && socket.empty()))
    throw failure{exit_command_line, "which process? " + std::string{report_help.usage}};
  const wanted_form form{.format = text_of(*values, "format"),
                         .list = text_of(*values, "list"),
                         .order = text_of(*values, "order"),
                         .sections = text_of(*values, "sections")};
  const std::optional<pid_t> id = asked.empty() ? std::nullopt : process_number(asked.front());
  if (!socket.empty() && !asked.empty() && !id)
    throw failure{exit_command_line, "with --socket a process is named by its number"};
  if (!socket.empty())
    std::cout << ask_at(socket, id, form);
  else
    std::cout << (id ? ask_process(*id, form) : ask_service(asked.front(), form));
  return exit_done;
}

}  // namespace gmr_command
