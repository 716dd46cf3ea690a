// A report as text for people; docs/report.md says how to read it.
#pragma once

#include <string>

#include "outline/outline.hpp"

namespace gmr::views {

[[nodiscard]] std::string to_text(const outlines::outline& shown);

}  // namespace gmr::views
