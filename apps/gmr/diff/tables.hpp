#pragma once

#include <iosfwd>

#include "reports/series.hpp"

namespace gmr_command::differences {

// Of two reports or more.
void print(std::ostream& to, const reports::series& compared);

}  // namespace gmr_command::differences
