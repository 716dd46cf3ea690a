// Finds out whether switches of fibers in this program go through the hook.
#pragma once

#include <string_view>

namespace gmr::trace {

// Runs a fiber the way Boost.Context does, through the names the program itself uses. Empty when it
// was traced from its start to its end, else what is wrong and how to mend it.
[[nodiscard]] std::string_view test_fiber_hook() noexcept;

}  // namespace gmr::trace
