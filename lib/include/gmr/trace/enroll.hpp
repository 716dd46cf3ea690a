// Prepares threads that the service makes itself for being reported on.
#pragma once

#include "gmr/detail/language.hpp"

namespace gmr {

// Gives the calling thread an alternate signal stack unless it has one, so that its stack can be
// captured even when little of it is left, and undoes that when the thread ends. Call it at the
// start of a thread that runs on a small stack or switches stacks by its own means; threads that
// run Boost.Context fibers are enrolled by `gmr::trace` at their first switch, and all threads by
// `gmr::trace_threads`. Repeated calls do nothing. Without memory for it the thread goes on as it
// was. Not async-signal-safe.
void enroll_this_thread() noexcept;

}  // namespace gmr
