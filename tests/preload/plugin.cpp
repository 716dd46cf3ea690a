// A plug-in with a Boost.Context of its own: loaded so that nobody else sees its symbols.
#include <boost/context/fiber.hpp>

namespace context = boost::context;

static context::fiber parked;

static void wait_in_plugin(context::fiber& caller) {
  caller = std::move(caller).resume();  // the plug-in waits here
  asm volatile("" ::: "memory");        // no tail call
}

extern "C" void begin() {
  parked = context::fiber{[](context::fiber&& caller) {
    context::fiber back = std::move(caller);
    wait_in_plugin(back);
    return back;
  }};
  parked = std::move(parked).resume();
}

extern "C" void end() {
  parked = std::move(parked).resume();
}
