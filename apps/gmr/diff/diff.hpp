// gmr diff: what has changed from report to report, as tables.
#pragma once

#include <string>
#include <vector>

namespace gmr_command {

int diff(const std::vector<std::string>& arguments);

}  // namespace gmr_command
