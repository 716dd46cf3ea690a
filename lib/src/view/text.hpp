// A report as text for people; docs/report.md says how to read it.
#pragma once

#include <string>

#include "gmr/model/report.hpp"

namespace gmr::views {

[[nodiscard]] std::string to_text(const report& complete);

}  // namespace gmr::views
