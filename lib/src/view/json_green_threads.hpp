// The green threads of a report as JSON.
#pragma once

#include "outline/outline.hpp"
#include "view/json_output.hpp"

namespace gmr::views {

void write_green_threads(json_output& out, const outlines::outline& shown);

}  // namespace gmr::views
