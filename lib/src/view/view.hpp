// A report as text or JSON.
#pragma once

#include <string>

#include "gmr/model/report.hpp"

namespace gmr::views {

enum class format { text, json };

// The whole report, ending in a newline. Bytes that are not UTF-8, and control characters other
// than line breaks, come out escaped, whatever a thread or option is called.
[[nodiscard]] std::string render(const report& complete, format as);

}  // namespace gmr::views
