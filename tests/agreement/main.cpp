// A process full of parked threads that reports on SIGUSR2.
#include <boost/program_options/variables_map.hpp>
#include <gmr/gmr.hpp>
#include <iostream>
#include <semaphore>

#include "nasty.hpp"

int main(int, char** argv) {
  gmr::settings settings;
  settings.format = gmr::report_format::json;
  gmr::reporter reporter{{.name = "nasty"}, settings};
  nasty::start(argv[1]);
  std::cout << "parked" << std::endl;
  std::binary_semaphore never{0};
  never.acquire();
}
