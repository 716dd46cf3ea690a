// What a stack says of the thread that it is of.
#pragma once

#include <vector>

#include "reports/report.hpp"

namespace gmr_command::reports {

// The innermost frame of the service's own code; where there is none, the innermost frame. Null of
// an empty stack.
[[nodiscard]] const frame* innermost_own(const std::vector<frame>& frames) noexcept;

// Those of the service's own code, innermost first.
[[nodiscard]] std::vector<frame> own_frames(const std::vector<frame>& frames);

// What two stacks of the same thread are compared by: its own frames, or all where it has none.
[[nodiscard]] bool same_place(const std::vector<frame>& one, const std::vector<frame>& other);

enum class thread_role {
  reporter,    // makes reports
  idle_loop,   // runs an event loop that has nothing to do
  in_handler,  // runs an event loop, and is in a handler or green thread of the service's
  own,         // a thread of the service's that runs no event loop
};
[[nodiscard]] thread_role role_of(const thread& of);

// Of a thread in a handler: that frame of the service's own code which the event loop has called.
// Null where the stack does not tell.
[[nodiscard]] const frame* handler_of(const thread& of);

// Of a thread that runs an event loop: the frame of the service's own code that has called it, the
// innermost of those. Null of a thread_pool's, which Asio starts itself.
[[nodiscard]] const frame* caller_of_loop(const thread& of) noexcept;

// Whether the event loop is that of a thread_pool, which exists to be blocked for a while.
[[nodiscard]] bool is_of_thread_pool(const thread& of);

}  // namespace gmr_command::reports
