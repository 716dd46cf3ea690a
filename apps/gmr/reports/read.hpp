#pragma once

#include <string>
#include <vector>

#include "reports/report.hpp"

namespace gmr_command::reports {

// All reports in JSON in these files, "-" for standard input: whole files or logs, as `gmr view`
// finds them (view/reports_in_log.hpp), also where what wraps the log cuts them in pieces. Those
// that are damaged are left out, which is said on standard error. Throws `failure` in one line that
// says what to do: exit_no_input where a file can't be read, exit_bad_data where it has no whole
// report.
[[nodiscard]] std::vector<report> read(const std::vector<std::string>& files);

}  // namespace gmr_command::reports
