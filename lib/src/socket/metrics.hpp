// What is counted all the time, for monitoring.
#pragma once

#include <string>

#include "gmr/model/counters.hpp"
#include "gmr/model/report.hpp"

namespace gmr::sockets {

// Text as Prometheus reads it. No thread is signalled, no stack read and no lock taken; what there
// is much of is counted for 0.2 s at most, and said to be incomplete then. Safe to call from any
// thread, also while a report is made.
[[nodiscard]] std::string metrics_of(const package& software, const report_counters& counters);

}  // namespace gmr::sockets
