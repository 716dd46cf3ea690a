// What the backend under test promises: docs/threads.md, backends.
#pragma once

namespace gmr::capture::testing {

// Whether threads walk their own stacks: program counters instead of registers and a copy.
#ifdef GMR_WALKING_BACKEND
inline constexpr bool threads_walk = true;
#else
inline constexpr bool threads_walk = false;
#endif

}  // namespace gmr::capture::testing
