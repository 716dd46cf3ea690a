// A report as one HTML file that needs nothing else: no network, no further file.
#pragma once

#include <string>

#include "outline/outline.hpp"

namespace gmr::views {

[[nodiscard]] std::string to_html(const outlines::outline& shown);

}  // namespace gmr::views
