// Parks thousands of green threads of all kinds, prints what they know of their stacks, and goes on
// to report on SIGUSR2: COUNT, so many of each kind, and SEED.
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <gmr/gmr.hpp>
#include <iostream>
#include <string>

#include "logical_stack.hpp"
#include "programs.hpp"

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 100;
  truth::set_seed(argc > 2 ? static_cast<unsigned>(std::atoi(argv[2])) : 1);
  gmr::settings settings;
  settings.format = gmr::report_format::json;
  settings.list = gmr::report_list::each;
  gmr::reporter reporter{{.name = "truth"}, settings};
  truth::start_contexts(count);
  truth::start_moving_contexts(count);
  truth::start_coroutines2(count);
  truth::start_spawned(count);
  truth::start_awaitables(count);
  truth::start_executors(count);
  truth::start_groups(count);
  truth::start_explicit(count / 3);
  truth::start_mixed(count / 3);
  if (truth::start_beast != nullptr) truth::start_beast(count / 3);
  truth::start_boost_fibers(count);
  truth::start_blocked_contexts();
  truth::start_blocked_awaitables();
  truth::print_truth();
  std::string line;
  std::getline(std::cin, line);
  std::_Exit(0);
}
