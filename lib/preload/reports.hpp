// Reports of a program that knows nothing of them.
#pragma once

#include "gmr/options/options.hpp"

namespace gmr::preload {

// Makes reports on a thread of its own, for the life of this process. Throws when the signal is
// taken or no thread can be had. To be called once.
void start_reports(const settings& set);

// In a forked child there is no such thread: starts it unless it is there. Cheap when it is; says
// what went wrong on standard error.
void continue_reports() noexcept;

}  // namespace gmr::preload
