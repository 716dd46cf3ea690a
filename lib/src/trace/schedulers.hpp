// The list of registered schedulers, as the capture stage reads it.
#pragma once

#include <functional>

#include "gmr/trace/scheduler.hpp"

namespace gmr::trace {

// Calls `use` for each registered scheduler, in order of registration. None of them can be
// unregistered until this returns. Safe to call from any thread; not from within `use`.
void for_each_scheduler(const std::function<void(scheduler&)>& use);

}  // namespace gmr::trace
