#include "gmr/section/stacktrace.hpp"

#include <gtest/gtest.h>

#include <boost/stacktrace.hpp>
#include <sstream>

namespace {

std::string line_of(const gmr::value& frames, std::size_t index) {
  return std::get<std::string>(std::get<gmr::list>(frames.get()).items.at(index).get());
}

TEST(Stacktrace, EveryFrameOfARealTraceIsThere) {
  const boost::stacktrace::stacktrace trace;
  ASSERT_GT(trace.size(), 2U);
  const gmr::value frames = gmr::to_value(trace);
  ASSERT_EQ(std::get<gmr::list>(frames.get()).items.size(), trace.size());
  for (std::size_t index = 0; index < trace.size(); ++index) {
    EXPECT_FALSE(line_of(frames, index).empty());
    EXPECT_TRUE(line_of(frames, index).starts_with(trace[index].name()));
  }
}

TEST(Stacktrace, AFrameWithoutNameShowsItsAddressInHexadecimal) {
  const auto* const nowhere = reinterpret_cast<const void*>(std::uintptr_t{0xABCDEF10});
  std::ostringstream expected;
  expected << std::hex << std::showbase << std::uintptr_t{0xABCDEF10};
  EXPECT_EQ(gmr::detail::hexadecimal(nowhere), expected.str());
  EXPECT_EQ(gmr::detail::hexadecimal(nullptr), "0x0");
}

TEST(Stacktrace, AnEmptyTraceIsAnEmptyList) {
  const gmr::value frames = gmr::to_value(boost::stacktrace::stacktrace(0, 0));
  EXPECT_TRUE(std::get<gmr::list>(frames.get()).items.empty());
}

}  // namespace
