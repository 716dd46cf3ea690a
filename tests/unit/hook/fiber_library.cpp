#include "fiber_library.hpp"

#include <boost/context/fiber.hpp>

namespace gmr::test {

namespace context = boost::context;

int run_fiber_in_library(void (*while_suspended)()) {
  int runs = 0;
  context::fiber fiber{[&](context::fiber&& caller) {
    ++runs;
    caller = std::move(caller).resume();
    ++runs;
    return std::move(caller);
  }};
  fiber = std::move(fiber).resume();
  while_suspended();
  fiber = std::move(fiber).resume();
  return runs;
}

}  // namespace gmr::test
