// Fibers of a shared library, where the program they are in is one of fiber_inactive_test.cpp's.
#include <gtest/gtest.h>

#include <string>

#include "fiber_library.hpp"
#include "fiber_listing.hpp"

namespace gmr::test {
namespace {

TEST(FiberLibrary, HasItsFibersListedUnlessTheReportSaysWhyNot) {
  std::string problem = "no source";
  with_fiber_source([&](scheduler& source) { problem = source.problem(); });
  static std::size_t listed = 0;
  EXPECT_EQ(run_fiber_in_library([] { listed = list_fibers().fibers.size(); }), 2);
  EXPECT_EQ(listed, problem.empty() ? 1u : 0u) << problem;
}

}  // namespace
}  // namespace gmr::test
