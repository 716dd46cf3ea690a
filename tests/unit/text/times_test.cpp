#include "text/times.hpp"

#include <gtest/gtest.h>

#include <array>
#include <ctime>

namespace gmr::texts {
namespace {

using std::chrono::milliseconds;
using clock = std::chrono::system_clock;

TEST(Times, AreInUtcWithMilliseconds) {
  EXPECT_EQ(utc_time(clock::time_point{milliseconds{1'700'000'000'125}}),
            "2023-11-14T22:13:20.125Z");
  EXPECT_EQ(utc_time(clock::time_point{milliseconds{1'700'000'000'007}}),
            "2023-11-14T22:13:20.007Z");
  EXPECT_EQ(utc_time(clock::time_point{milliseconds{-1}}), "1969-12-31T23:59:59.999Z");
}

TEST(Times, AStampHasWholeSecondsAndNothingBetween) {
  EXPECT_EQ(utc_stamp(clock::time_point{milliseconds{1'700'000'000'999}}), "20231114T221320Z");
}

// The C library's calendar is asked here only: in a report its lock may be held for ever.
TEST(Times, AgreeWithTheLibraryOfC) {
  constexpr std::time_t step = 86'400 * 17 + 3'607;
  constexpr std::time_t last = 7'258'118'400;  // the year 2200
  for (std::time_t at = -2'208'988'800; at < last; at += step) {
    std::tm parts{};
    ASSERT_NE(::gmtime_r(&at, &parts), nullptr);
    std::array<char, 32> expected{};
    std::strftime(expected.data(), expected.size(), "%Y-%m-%dT%H:%M:%S.000Z", &parts);
    ASSERT_EQ(utc_time(clock::from_time_t(at)), expected.data());
  }
}

}  // namespace
}  // namespace gmr::texts
