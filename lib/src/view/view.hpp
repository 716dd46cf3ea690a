// A report as text or JSON.
#pragma once

#include <string>

#include "gmr/model/report.hpp"

namespace gmr::views {

// The whole report, ending in a newline. Bytes that are not UTF-8, and control characters other
// than line breaks, come out escaped, whatever a thread or option is called.
[[nodiscard]] std::string render(const report& complete, report_format format);

}  // namespace gmr::views
