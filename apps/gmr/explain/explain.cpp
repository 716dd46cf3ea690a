#include "explain/explain.hpp"

#include <iostream>

#include "command_line.hpp"
#include "exit_codes.hpp"
#include "explain/output.hpp"
#include "reports/read.hpp"

namespace gmr_command {
namespace {

constexpr command_help explain_help{
    .usage = "gmr explain [--json] REPORT...",
    .description =
        "Says why a service hangs: who is to blame, and by what evidence. REPORT is a\n"
        "file with reports in JSON or a log that has some, as gmr view reads it, or - for\n"
        "standard input. Two or more of one process,\n"
        "some seconds apart, tell what is stuck from what is only slow; one tells less.\n",
    .examples =
        "  gmr explain first.json second.json\n"
        "  gmr explain --json /var/log/orders/*.json\n"
        "  cat first.json second.json | gmr explain -\n"};

}  // namespace

int explain(const std::vector<std::string>& arguments) {
  boost::program_options::options_description described;
  described.add_options()("json", "one JSON object, for programs");
  const auto values = read_arguments(arguments, described, explain_help);
  if (!values) return exit_done;
  const std::vector<std::string> files = operands(*values);
  if (files.empty())
    throw failure{exit_command_line, "explain needs a report; gmr explain --help has examples"};
  const reports::series compared{reports::read(files)};
  const explanations::explanation made = explanations::conclude(compared);
  if (values->contains("json")) {
    explanations::print_json(std::cout, compared, made);
  } else {
    explanations::print_text(std::cout, compared, made);
  }
  return exit_done;
}

}  // namespace gmr_command
