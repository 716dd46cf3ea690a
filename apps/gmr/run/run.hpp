// gmr run: a program under libgmr_preload.so.
#pragma once

#include <string>
#include <vector>

namespace gmr_command {

// Becomes the program that the arguments name; returns only for --help.
int run_program(const std::vector<std::string>& arguments);

}  // namespace gmr_command
