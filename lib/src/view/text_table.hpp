// Tables as aligned columns of text.
#pragma once

#include "gmr/model/value.hpp"
#include "view/page.hpp"

namespace gmr::views {

inline constexpr std::size_t most_rows = 1000;
inline constexpr std::size_t most_cell_columns = 48;

// Numbers to the right, all else to the left. Cells and rows beyond the limits above are left out,
// and the line below the table says so.
void show_table(page& out, std::size_t indent, const table& content);

}  // namespace gmr::views
