// What has changed since the last report, and the last lines of the log, as JSON.
#pragma once

#include <optional>
#include <vector>

#include "gmr/model/report.hpp"
#include "view/json_output.hpp"

namespace gmr::views {

void write_changes(json_output& out, const std::optional<report_changes>& changes);

void write_log(json_output& out, const std::vector<log_line>& lines);

}  // namespace gmr::views
