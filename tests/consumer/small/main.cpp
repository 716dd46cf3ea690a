// Starts a coroutine and a fiber, prints one report, and waits for the end of its input: gdb may
// come meanwhile.
#include <gmr/gmr.hpp>
#include <iostream>

void start_coroutine();
void start_fiber();

int main() {
  start_coroutine();
  start_fiber();
  gmr::reporter reporter{{.name = "small"}, gmr::settings{}};
  std::cout << gmr::to_json(reporter.make()) << std::endl;
  std::cin.get();
}
