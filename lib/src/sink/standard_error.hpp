// Standard error as a sink: in one piece, without freezing when nobody reads.
#pragma once

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>

namespace gmr::sinks {

// Writes the pieces one after the other with nothing of another report in between, also when other
// processes share the same standard error: they exclude each other by an fcntl record lock on the
// very file, pipe, terminal or socket. Returns what went wrong, or an empty string. `patience` is
// how long to wait for the lock, and for a reader that reads nothing; six times as long in all.
[[nodiscard]] std::string write_standard_error(std::initializer_list<std::string_view> pieces,
                                               std::chrono::milliseconds patience);

}  // namespace gmr::sinks
