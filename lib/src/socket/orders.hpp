// What a client wants, told from its request.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "gmr/model/report.hpp"
#include "outline/shape.hpp"

namespace gmr::sockets {

struct report_order {
  report_format format = report_format::text;
  report_shape shape;
};
struct metrics_order {};
// The request can't be answered: a status of HTTP, and one line that says why.
struct refusal {
  unsigned status = 400;
  std::string line;
};
using order = std::variant<report_order, metrics_order, refusal>;

// Of a GET request's target, "/report?format=json". What it does not say is as in `usual`.
[[nodiscard]] order read_target(std::string_view target, const report_order& usual);

}  // namespace gmr::sockets
