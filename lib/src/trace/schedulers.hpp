// The list of registered schedulers, as the capture stage reads it.
#pragma once

#include <functional>

#include "gmr/trace/scheduler.hpp"

namespace gmr::trace {

// The first of `count` consecutive new ids: for threads that hand out many. Async-signal-safe.
[[nodiscard]] std::uint64_t reserve_green_thread_ids(std::uint64_t count) noexcept;

// Calls `use` for each registered scheduler, in order of registration. None of them can be
// unregistered until this returns. Safe to call from any thread; not from within `use`.
void for_each_scheduler(const std::function<void(scheduler&)>& use);

}  // namespace gmr::trace
