#include "diff/diff.hpp"

#include <iostream>

#include "command_line.hpp"
#include "diff/tables.hpp"
#include "exit_codes.hpp"
#include "reports/read.hpp"

namespace gmr_command {
namespace {

constexpr command_help diff_help{
    .usage = "gmr diff REPORT REPORT...",
    .description =
        "Shows what has changed between reports of one process, as tables with a column\n"
        "for each: threads, green threads, findings, operations, memory, descriptors, and\n"
        "options. REPORT is a file with reports in JSON, or - for standard input.\n",
    .examples =
        "  gmr diff first.json second.json\n"
        "  gmr diff /var/log/orders/*.json\n"};

}  // namespace

int diff(const std::vector<std::string>& arguments) {
  const auto values = read_arguments(arguments, {}, diff_help);
  if (!values) return exit_done;
  const std::vector<std::string> files = operands(*values);
  if (files.empty())
    throw failure{exit_command_line, "diff needs reports; gmr diff --help has examples"};
  const reports::series compared{reports::read(files)};
  if (!compared.compares())
    throw failure{exit_command_line,
                  "diff needs two reports or more, and there is one: " + compared.last().source};
  differences::print(std::cout, compared);
  return exit_done;
}

}  // namespace gmr_command
