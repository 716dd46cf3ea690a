// Asks by the signal that a process handles, and only where that is certain.
#pragma once

#include <string>

#include "os/announcement.hpp"
#include "report/process.hpp"

namespace gmr_command {

// Returns the report, or an empty text where it can't be read: where it went has been said on
// standard error then. Throws `failure` where the process does not handle the signal.
[[nodiscard]] std::string ask_by_signal(const process& asked, const gmr::os::announcement& told);

}  // namespace gmr_command
