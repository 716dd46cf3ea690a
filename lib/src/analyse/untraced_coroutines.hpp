// Modules of the program whose coroutines no report can show, since they were compiled without
// gmr::trace.
//
// Asio's coroutines cannot be seen from outside, but their code can: each await of one has the name
// of <boost/asio/impl/awaitable.hpp> in read-only memory, for the error that it throws when it is
// cancelled, and each co_spawn may have the name of a type. Both are there in stripped programs
// too. Units that are compiled with gmr::trace leave a mark beside them:
// <gmr/detail/hook/traced_unit.hpp>.
//
// What it cannot tell: a module in which some units are traced and others are not, a program with
// neither run-time type information nor source locations (-fno-rtti and
// BOOST_DISABLE_CURRENT_LOCATION), and modules that it does not look at: those of the system's
// folders, and those with more than 32 MiB of read-only data.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <span>

#include "gmr/model/report.hpp"
#include "os/modules.hpp"

namespace gmr::analyse {

class untraced_coroutine_finder {
 public:
  using module_pointer = std::shared_ptr<const os::module>;

  // The finding `tracing_inactive` about those of the modules that have coroutines and no mark;
  // nothing when there are none. Each module is read once: some milliseconds for the first report.
  // What is not read by the deadline is left to the next report. Reads memory safely: a module may
  // be unloaded meanwhile. Not synchronised: one thread at a time.
  [[nodiscard]] std::optional<finding> find(std::span<const module_pointer> loaded,
                                            std::chrono::steady_clock::time_point deadline);

 private:
  std::map<module_pointer, bool> untraced_;  // of the modules that have been read
};

}  // namespace gmr::analyse
