// The configuration and the service's own sections as JSON.
#pragma once

#include <vector>

#include "gmr/model/report.hpp"
#include "view/json_output.hpp"

namespace gmr::views {

void write_configuration(json_output& out, const std::vector<option_entry>& options);
void write_sections(json_output& out, const std::vector<custom_section>& sections);

}  // namespace gmr::views
