// gmr view: a report in JSON, or out of a log, as text, JSON or HTML.
#pragma once

#include <string>
#include <vector>

namespace gmr_command {

int view_report(const std::vector<std::string>& arguments);

}  // namespace gmr_command
