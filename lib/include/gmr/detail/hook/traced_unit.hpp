// The mark of a unit whose coroutines are traced. Text in the read-only memory of its module, where
// a report looks for it: a module with coroutines and without the mark is a finding. See
// analyse/untraced_coroutines.hpp.
#pragma once

#include "gmr/detail/language.hpp"

namespace gmr::trace {

[[gnu::used, gnu::retain]] inline constexpr char mark_of_traced_units[] =
    "gmr: the coroutines of this module are traced";

}  // namespace gmr::trace
