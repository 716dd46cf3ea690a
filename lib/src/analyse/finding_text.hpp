// Words that findings are made of.
#pragma once

#include <string>

#include "gmr/model/stack.hpp"
#include "gmr/model/threads.hpp"

namespace gmr::analyse {

// "thread 812 (io-1)"
[[nodiscard]] std::string name_of(const thread_info& thread);

// Whether the frame is glibc's own, as a shared library.
[[nodiscard]] bool is_c_library(const frame& at);

// " in FUNCTION at FILE:LINE" of the innermost frame that belongs to the service; of the innermost
// one when none does; empty when there is no name.
[[nodiscard]] std::string place_of(const stack& resolved);

}  // namespace gmr::analyse
