#pragma once

#include <string>
#include <vector>

#include "reports/report.hpp"

namespace gmr_command::reports {

// All reports in these files, "-" for standard input. Each is on a line of its own, as services
// write them, or a whole file; other lines may stand between. Throws `failure` in one line that
// says what to do: exit_no_input where a file can't be read, exit_bad_data where it has no report
// in JSON, or one that is cut.
[[nodiscard]] std::vector<report> read(const std::vector<std::string>& files);

}  // namespace gmr_command::reports
