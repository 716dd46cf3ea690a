// gmr: asks services for Guru Meditation Reports, and shows them.
#include <algorithm>
#include <array>
#include <csignal>
#include <exception>
#include <iomanip>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "command.hpp"
#include "diff/diff.hpp"
#include "exit_codes.hpp"
#include "explain/explain.hpp"
#include "run/run.hpp"

namespace {

using namespace gmr_command;

constexpr std::array commands{
    command{"diff", "show what changed from report to report", diff},
    command{"explain", "say why a service hangs, by its reports", explain},
    command{"run", "run an unmodified program that reports when asked", run_program},
};

void print_help() {
  std::cout << "usage: gmr COMMAND [ARGUMENTS]\n"
               "       gmr COMMAND --help\n"
               "       gmr --help | --version\n\n"
               "Asks services for Guru Meditation Reports, and shows them.\n\nCommands:\n";
  for (const command& each : commands)
    std::cout << "  " << std::left << std::setw(9) << each.name << each.summary << '\n';
  std::cout << "\nExit codes: 0 done, 64 command line, 65 bad data, 66 no input, 69 unavailable,\n"
               "77 not permitted, 78 configuration file.\n";
}

int carry_out(const std::vector<std::string>& arguments) {
  if (arguments.empty())
    throw failure{exit_command_line, "a command is missing; gmr --help lists them"};
  const std::string& name = arguments.front();
  if (name == "--help" || name == "-h" || name == "help") {
    print_help();
    return exit_done;
  }
  if (name == "--version") {
    std::cout << "gmr " GMR_COMMAND_VERSION "\n";
    return exit_done;
  }
  const auto* const found = std::ranges::find(commands, std::string_view{name}, &command::name);
  if (found == commands.end())
    throw failure{exit_command_line, "there is no command '" + name + "'; gmr --help lists them"};
  return found->run({arguments.begin() + 1, arguments.end()});
}

// What could not be written must not be taken for success.
int flushed(int code) {
  std::cout.flush();
  if (std::cout) return code;
  throw failure{exit_unavailable, "standard output can't be written to"};
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return flushed(carry_out({argv + std::min(argc, 1), argv + argc}));
  } catch (const failure& error) {
    std::cerr << "gmr: " << error.what() << std::endl;
    return error.code();
  } catch (const std::exception& error) {
    std::cerr << "gmr: " << error.what() << std::endl;
    return exit_software;
  }
}
