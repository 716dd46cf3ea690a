// Takes text apart.
#pragma once

#include <string_view>

namespace gmr::texts {

// The next line of `rest`, without its line break; takes it off `rest`.
[[nodiscard]] std::string_view take_line(std::string_view& rest);

// Without blanks, tabs and carriage returns at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

// What comes before the next `mark` or the end; takes both off `rest`.
[[nodiscard]] std::string_view take_until(std::string_view& rest, char mark);

}  // namespace gmr::texts
