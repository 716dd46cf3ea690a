// The hook in a shared library behind Boost.Context: no switch reaches it, and it says so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/context/fiber.hpp>
#include <string>

#include "fiber_listing.hpp"

namespace gmr::test {
namespace {

TEST(FiberHookBehindBoost, SaysThatTracingIsInactive) {
  std::string problem;
  with_fiber_source([&](scheduler& source) { problem = source.problem(); });
  EXPECT_THAT(problem, ::testing::StartsWith("fiber tracing inactive: "));
  EXPECT_THAT(problem, ::testing::HasSubstr("link gmr::trace"));
}

TEST(FiberHookBehindBoost, LeavesFibersAlone) {
  int turns = 0;
  boost::context::fiber fiber{[&](boost::context::fiber&& caller) {
    for (; turns < 3; ++turns)
      caller = std::move(caller).resume();
    return std::move(caller);
  }};
  while (fiber)
    fiber = std::move(fiber).resume();
  EXPECT_EQ(turns, 3);
  EXPECT_TRUE(list_fibers().fibers.empty());
}

}  // namespace
}  // namespace gmr::test
