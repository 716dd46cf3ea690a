// The conclusion of a report on a fatal error.
#pragma once

#include "gmr/model/report.hpp"
#include "os/fatal_errors.hpp"

namespace gmr::analyse {

// Names the error, the thread with its stack, what it ran, the exception, and what is mapped where
// it failed. `complete` has its threads with their stacks.
[[nodiscard]] finding describe_fatal_error(const os::fatal_error& error, const report& complete);

}  // namespace gmr::analyse
