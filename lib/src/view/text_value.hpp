// Trees of values as text.
#pragma once

#include <string>
#include <string_view>

#include "gmr/model/value.hpp"
#include "view/page.hpp"

namespace gmr::views {

// A whole tree from `indent` columns on. Numbers whose own name, or that of what they are part of,
// ends in _seconds or _bytes are shown in human units.
void show_tree(page& out, std::size_t indent, const value& content);

// Whether it is shown below its name rather than beside: a list, a table, text of many lines.
[[nodiscard]] bool is_container(const value& content);
// Whether numbers of that name are shown in human units.
[[nodiscard]] bool names_unit(std::string_view name);
// "12.3 MiB (12898304)" for rss_bytes; `content` is no container.
[[nodiscard]] std::string named_scalar(std::string_view name, const value& content);

// A tree on one line, for a cell of a table: containers as {a: 1, b: [x, y]}.
[[nodiscard]] std::string inline_text(const value& content, std::string_view name = {},
                                      int depth = 0);

}  // namespace gmr::views
