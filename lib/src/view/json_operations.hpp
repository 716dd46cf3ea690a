// Operations that no green thread waits for, as JSON.
#pragma once

#include <vector>

#include "gmr/model/report.hpp"
#include "view/json_output.hpp"

namespace gmr::views {

void write_operations(json_output& out, const std::vector<operation_group>& groups);

}  // namespace gmr::views
