// gmr report: asks a running process for a report, and prints it.
#pragma once

#include <string>
#include <vector>

namespace gmr_command {

int ask_for_report(const std::vector<std::string>& arguments);

}  // namespace gmr_command
