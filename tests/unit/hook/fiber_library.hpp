// A shared library with fibers that was built without gmr.
#pragma once

namespace gmr::test {

// Makes a fiber, resumes it, calls the function while it is suspended, resumes it to its end.
// Returns how often the fiber ran.
[[gnu::visibility("default")]] int run_fiber_in_library(void (*while_suspended)());

}  // namespace gmr::test
