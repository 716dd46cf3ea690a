// The environment that the program was started with. getenv would race with a thread that calls
// setenv, which may be stuck in it, too.
#pragma once

#include <string>
#include <vector>

namespace gmr::symbolize {

// NAME=VALUE, of the variables that the helper program needs to find its libraries, and the files
// that a client of debuginfod has fetched. Of values longer than 4 KiB nothing is known. Safe to
// call from any thread.
[[nodiscard]] std::vector<std::string> environment_of_helper();

}  // namespace gmr::symbolize
