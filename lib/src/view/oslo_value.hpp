// Trees of values in the layout of oslo.reports.
#pragma once

#include <string>
#include <string_view>

#include "gmr/model/value.hpp"

namespace gmr::views {

// "name = value" lines in order of the names, each level two columns deeper; a table as the
// original's tables, 72 columns wide. What stands behind the name of a dictionary is `after_name`.
// Ends in a line break unless it is empty.
[[nodiscard]] std::string oslo_tree(const value& content, std::string_view after_name = " = ");

// What is centered in so many columns, the odd blank behind it.
[[nodiscard]] std::string centered(std::string_view content, std::size_t width);

}  // namespace gmr::views
