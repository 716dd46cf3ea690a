// A report as JSON: one object on one line, described by docs/report.schema.json.
#pragma once

#include <string>

#include "gmr/model/report.hpp"

namespace gmr::views {

[[nodiscard]] std::string to_json(const report& complete);

}  // namespace gmr::views
