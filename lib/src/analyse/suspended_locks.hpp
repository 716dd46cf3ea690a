// Finds locks that green threads keep while they are suspended.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "analyse/lock_suspects.hpp"
#include "gmr/model/report.hpp"

namespace gmr::analyse {

// `lock_across_suspension` for each lock that threads wait for while the thread that took it is
// idle in its event loop, or waits for that very lock. `threads` has the holder first.
[[nodiscard]] std::vector<finding> find_suspended_locks(
    const std::map<pid_t, const thread_info*>& all, std::span<const lock_suspects> suspects);

}  // namespace gmr::analyse
