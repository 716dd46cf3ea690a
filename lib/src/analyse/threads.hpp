// Conclusions about OS threads: what they wait for, and findings.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "capture/snapshot.hpp"
#include "gmr/model/report.hpp"

namespace gmr::analyse {

// What the thread waits for, decoded from its blocked system call; nothing when it is not blocked.
[[nodiscard]] std::optional<wait_info> wait_of(const capture::thread_snapshot& thread);

// Findings about the whole report: deadlocks, convoys, spinning threads, ... the gravest first.
[[nodiscard]] std::vector<finding> findings_of(const report& complete);

}  // namespace gmr::analyse
