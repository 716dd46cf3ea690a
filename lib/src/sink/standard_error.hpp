// Standard error as a sink: in one piece, without freezing when nobody reads.
#pragma once

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>

namespace gmr::sinks {

// Writes the pieces one after the other with nothing of another report in between, also where
// forked workers share one standard error (write_lock.hpp). A file that was opened for appending
// gets all of it by one call, so that nobody's lines come in between. The file is neither locked
// nor reopened: that would take the program's own locks away. Where standard error was closed when
// the program was started, nothing is written: its number may be another file's by now. Returns
// what went wrong, or an empty string. `patience` is how long to wait for the lock, and for a
// reader that reads nothing; six times as long in all.
[[nodiscard]] std::string write_standard_error(std::initializer_list<std::string_view> pieces,
                                               std::chrono::milliseconds patience);

}  // namespace gmr::sinks
