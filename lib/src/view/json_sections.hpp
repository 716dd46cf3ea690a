// The configuration and the service's own sections as JSON.
#pragma once

#include <vector>

#include "outline/outline.hpp"
#include "view/json_output.hpp"

namespace gmr::views {

void write_configuration(json_output& out, const std::vector<outlines::option_section>& sections);
void write_sections(json_output& out, const std::vector<outlines::section_outline>& sections);

}  // namespace gmr::views
