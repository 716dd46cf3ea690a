// Trees of values as text.
#pragma once

#include <string>

#include "gmr/model/value.hpp"
#include "view/page.hpp"

namespace gmr::views {

// A whole tree from `indent` columns on. Names that end in _seconds or _bytes have their numbers
// shown in human units too.
void show_tree(page& out, std::size_t indent, const value& content, int depth = 0);

// A tree on one line, for a cell of a table: containers as {a: 1, b: [x, y]}.
[[nodiscard]] std::string inline_text(const value& content, std::string_view name = {},
                                      int depth = 0);

}  // namespace gmr::views
