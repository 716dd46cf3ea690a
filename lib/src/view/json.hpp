// A report as JSON: one object on one line, described by docs/report.schema.json.
#pragma once

#include <string>

#include "outline/outline.hpp"

namespace gmr::views {

[[nodiscard]] std::string to_json(const outlines::outline& shown);

}  // namespace gmr::views
