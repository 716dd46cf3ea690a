// What has changed since the last report, and the last lines of the log, as text.
#pragma once

#include <string>
#include <vector>

#include "gmr/model/report.hpp"
#include "view/page.hpp"

namespace gmr::views {

// One line, of what has changed at all.
[[nodiscard]] std::string changes_text(const report_changes& changes);
void show_changes(page& out, const report_changes& changes);

void show_log(page& out, const std::vector<log_line>& lines);

}  // namespace gmr::views
