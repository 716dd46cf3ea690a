// A report in the layout of OpenStack's oslo.reports, for scripts that search in those:
// docs/migration.md says what stands where.
#pragma once

#include <string>

#include "outline/outline.hpp"

namespace gmr::views {

[[nodiscard]] std::string to_oslo(const outlines::outline& shown);

}  // namespace gmr::views
