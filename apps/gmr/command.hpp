// What main knows of each command. The function that carries it out is declared in a header of the
// command's own folder; main.cpp has the table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gmr_command {

struct command {
  std::string_view name;
  std::string_view summary;  // one line of `gmr --help`
  // Takes what stands behind the command's name and returns the exit code. Throws `failure` where
  // it can't do what it was asked for.
  int (*run)(const std::vector<std::string>& arguments);
};

}  // namespace gmr_command
