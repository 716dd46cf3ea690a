// Finds the report of one process in what several have written to one file.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace gmr_command {

// The first whole report, in any form, whose process is `pid`, as that process knows itself, or
// does not say whose it is. What comes before what may become one is taken off `lines`, reports of
// others as well. `is_quiet`: nothing has been written for a while; the form of oslo has no end of
// its own.
[[nodiscard]] std::optional<std::string> report_among(std::string& lines, pid_t pid, bool is_quiet);

}  // namespace gmr_command
