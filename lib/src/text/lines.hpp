// Takes text apart.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gmr::texts {

// The next line of `rest`, without its line break; takes it off `rest`.
[[nodiscard]] std::string_view take_line(std::string_view& rest);

// Without blanks, tabs and carriage returns at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

// What comes before the next `mark` or the end; takes both off `rest`.
[[nodiscard]] std::string_view take_until(std::string_view& rest, char mark);

// The whole number that the text begins with, after blanks; nothing when it is another text
// ("max").
[[nodiscard]] std::optional<std::uint64_t> number_in(std::string_view text);

// In lines of a name, a blank or colon, and a number: that with this name, as files in /proc and of
// control groups have it.
[[nodiscard]] std::optional<std::uint64_t> named_number(std::string_view lines,
                                                        std::string_view name);

}  // namespace gmr::texts
