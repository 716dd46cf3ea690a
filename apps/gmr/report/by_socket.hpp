// Asks on the socket of a process.
#pragma once

#include <string>

#include "report/reached_socket.hpp"

namespace gmr_command {

// What the report is to be like; empty: as the process has it.
struct wanted_form {
  std::string format;
  std::string list;
  std::string order;
  std::string sections;

  [[nodiscard]] bool is_usual() const noexcept {
    return format.empty() && list.empty() && order.empty() && sections.empty();
  }
};

struct socket_answer {
  std::string report;
  std::string unreachable;  // why nobody could be asked there; then there is no report
};

// Whether anybody listens there.
[[nodiscard]] bool is_answered(const reached_socket& at);

// `address`: a path, or @NAME. The process of `origin` has to answer there; none: anybody may.
// Throws `failure` for an answer that is no report.
[[nodiscard]] socket_answer ask_on_socket(const std::string& address, const address_origin& origin,
                                          const wanted_form& form);

}  // namespace gmr_command
