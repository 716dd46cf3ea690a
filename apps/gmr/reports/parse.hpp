#pragma once

#include <nlohmann/json_fwd.hpp>

#include "reports/report.hpp"

namespace gmr_command::reports {

// Whether it has what every report has.
[[nodiscard]] bool is_report(const nlohmann::json& text);

// Keys that are not known are passed over, so that later versions of the form can be read. Throws
// nlohmann::json::exception where a value is not of the type that the form has.
[[nodiscard]] report parse(const nlohmann::json& text);

}  // namespace gmr_command::reports
