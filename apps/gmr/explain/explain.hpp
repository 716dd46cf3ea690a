// gmr explain: why a service hangs, by one or more of its reports.
#pragma once

#include <string>
#include <vector>

namespace gmr_command {

int explain(const std::vector<std::string>& arguments);

}  // namespace gmr_command
