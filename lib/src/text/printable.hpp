// Makes any bytes safe to show: names of threads, options and files come from anywhere.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gmr::texts {

enum class line_breaks { escape, keep };

// Appends the bytes as UTF-8 that a terminal shows and does not obey: control characters become
// \n, \t, \xNN, code points that reorder or break text \u{N}, bytes that are not UTF-8 \xNN.
void append_printable(std::string& out, std::string_view bytes,
                      line_breaks breaks = line_breaks::escape);
[[nodiscard]] std::string printable(std::string_view bytes,
                                    line_breaks breaks = line_breaks::escape);

// The bytes themselves when they are valid UTF-8, otherwise a repaired copy in `scratch` with \xNN
// for each byte that is not. Control characters stay: JSON has its own escapes for them.
[[nodiscard]] std::string_view valid_utf8(std::string_view bytes, std::string& scratch);

// Whether there is a code point in it that a terminal or browser obeys rather than shows: a C1
// control, a mark that reverses text. The code points below U+0080 are not looked at.
[[nodiscard]] bool misleads(std::string_view valid_utf8) noexcept;

// Columns that printable text takes: one for each code point.
[[nodiscard]] std::size_t columns(std::string_view printable_text) noexcept;

// The longest beginning of printable text that takes at most `most` columns.
[[nodiscard]] std::string_view first_columns(std::string_view printable_text,
                                             std::size_t most) noexcept;

}  // namespace gmr::texts
