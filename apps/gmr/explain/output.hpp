#pragma once

#include <iosfwd>

#include "explain/explanation.hpp"
#include "reports/series.hpp"

namespace gmr_command::explanations {

[[nodiscard]] explanation conclude(const reports::series& compared);

void print_text(std::ostream& to, const reports::series& compared, const explanation& made);
void print_json(std::ostream& to, const reports::series& compared, const explanation& made);

}  // namespace gmr_command::explanations
