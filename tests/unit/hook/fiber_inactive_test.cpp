// The hook where it does not see all fibers, one program for each situation: see CMakeLists.txt.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/context/fiber.hpp>
#include <string>
#include <string_view>

#include "fiber_listing.hpp"

namespace gmr::test {
namespace {

// What is linked how, and what is to be said of it.
struct situation {
  std::string_view problem;
  bool is_fatal = false;  // Boost's functions are not to be found: no fiber can be made
};

[[maybe_unused]] constexpr situation hook_is_behind{
    "fiber tracing inactive: switches go past the hook; link gmr::trace to the program itself, "
    "before "
    "Boost.Context"};
[[maybe_unused]] constexpr situation hook_is_hidden{
    "fiber tracing incomplete: shared libraries such as Boost.Fiber go past the hook, which the "
    "program "
    "hides; make *_fcontext* global in the version script that it is linked with"};
[[maybe_unused]] constexpr situation hook_is_shown{""};
[[maybe_unused]] constexpr situation names_are_unknown{
    "fiber tracing inactive: the program's Boost.Context has other names for its switches than "
    "versions "
    "1.81 to 1.92; use one of those",
    true};
[[maybe_unused]] constexpr situation context_is_static{
    "fiber tracing inactive: no shared Boost.Context is loaded; with a static one link "
    "gmr::trace_wrap "
    "in place of gmr::trace (pkg-config: gmr-trace-static)",
    true};
[[maybe_unused]] constexpr situation context_is_there_twice{
    "fiber tracing incomplete: a library brings a shared Boost.Context beside the program's static "
    "one, "
    "and fibers that use that are not seen; link the shared one to the program too, instead of the "
    "static one"};

constexpr situation here = GMR_SITUATION;

TEST(FiberHook, SaysWhatItDoesNotSee) {
  std::string problem = "no source";
  with_fiber_source([&](scheduler& source) { problem = source.problem(); });
  EXPECT_EQ(problem, here.problem);
}

boost::context::fiber make_fiber(int& turns) {
  return boost::context::fiber{[&turns](boost::context::fiber&& caller) {
    for (; turns < 3; ++turns)
      caller = std::move(caller).resume();
    return std::move(caller);
  }};
}

TEST(FiberHook, LeavesFibersAlone) {
  int turns = 0;
  if (here.is_fatal) {
    EXPECT_DEATH(make_fiber(turns), ::testing::HasSubstr("gmr: " + std::string{here.problem}));
    return;
  }
  boost::context::fiber fiber = make_fiber(turns);
  while (fiber)
    fiber = std::move(fiber).resume();
  EXPECT_EQ(turns, 3);
}

}  // namespace
}  // namespace gmr::test
