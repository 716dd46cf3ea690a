// What the program was started with.
#pragma once

namespace gmr::sinks {

// Whether descriptor 2 was open when the library was initialised. If not, the next file that the
// program opens may get that number, and is no place for reports. Safe to call from any thread;
// async-signal-safe.
[[nodiscard]] bool started_with_standard_error() noexcept;

}  // namespace gmr::sinks
