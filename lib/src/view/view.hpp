// A report as text, JSON or whatever else there will be: the outline, drawn.
#pragma once

#include <string>

#include "outline/outline.hpp"

namespace gmr::views {

// The whole report, ending in a newline. Bytes that are not UTF-8, and control characters other
// than line breaks, come out escaped, whatever a thread or option is called.
[[nodiscard]] std::string render(const outlines::outline& shown, report_format format);

}  // namespace gmr::views
