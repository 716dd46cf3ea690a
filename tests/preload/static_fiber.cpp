// A fiber of a static Boost.Context, without gmr: suspended until standard input ends.
#include <boost/context/fiber.hpp>
#include <iostream>
#include <string>

namespace context = boost::context;

int main() {
  context::fiber fiber{[](context::fiber&& caller) {
    caller = std::move(caller).resume();
    return std::move(caller);
  }};
  fiber = std::move(fiber).resume();
  std::cout << "parked" << std::endl;
  std::string line;
  std::getline(std::cin, line);
  fiber = std::move(fiber).resume();
  std::cout << "done" << std::endl;
}
