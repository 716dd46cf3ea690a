// How the command ends: codes as sysexits.h has them, and the error that carries one.
#pragma once

#include <stdexcept>
#include <string>

namespace gmr_command {

enum exit_code : int {
  exit_done = 0,
  exit_command_line = 64,
  exit_bad_data = 65,
  exit_no_input = 66,
  exit_unavailable = 69,
  exit_software = 70,
  exit_not_permitted = 77,
  exit_configuration = 78,
};

// Ends the command. `what` is one line for people, without the name of the program and without a
// full stop; main prints it on standard error.
class failure final : public std::runtime_error {
 public:
  failure(exit_code code, const std::string& line) : std::runtime_error(line), code_(code) {}
  [[nodiscard]] exit_code code() const noexcept { return code_; }

 private:
  exit_code code_;
};

}  // namespace gmr_command
