// The green threads of a report as JSON.
#pragma once

#include "gmr/model/report.hpp"
#include "view/json_output.hpp"

namespace gmr::views {

void write_green_threads(json_output& out, const green_threads_info& all, report_list list);

}  // namespace gmr::views
