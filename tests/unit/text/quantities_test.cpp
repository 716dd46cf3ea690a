#include "text/quantities.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gmr::texts {
namespace {

TEST(Quantities, Durations) {
  EXPECT_EQ(human_duration(0), "0 s");
  EXPECT_EQ(human_duration(0.00035), "350 us");
  EXPECT_EQ(human_duration(0.0049), "4.9 ms");
  EXPECT_EQ(human_duration(0.25), "250 ms");
  EXPECT_EQ(human_duration(12.34), "12.3 s");
  EXPECT_EQ(human_duration(59.99), "59.9 s");
  EXPECT_EQ(human_duration(192), "3 min 12 s");
  EXPECT_EQ(human_duration(4320), "1 h 12 min");
  EXPECT_EQ(human_duration(7200), "2 h");
  EXPECT_EQ(human_duration(200'000), "2 d 7 h");
  EXPECT_EQ(human_duration(-0.25), "-250 ms");
  EXPECT_EQ(human_duration(std::numeric_limits<double>::quiet_NaN()), "unknown");
}

TEST(Quantities, Bytes) {
  EXPECT_EQ(human_bytes(512), "512 B");
  EXPECT_EQ(human_bytes(4096), "4.0 KiB");
  EXPECT_EQ(human_bytes(12'898'304), "12.3 MiB");
}

TEST(Quantities, SignificantDigitsOnly) {
  EXPECT_EQ(significant(2, 6), "2");
  EXPECT_EQ(significant(0.05, 6), "0.05");
  EXPECT_EQ(significant(1234.567, 3), "1.23e+03");
  EXPECT_EQ(significant(12.3456, 3), "12.3");
}

TEST(Quantities, ALargeNumberIsWholeToo) {
  EXPECT_EQ(fixed(std::numeric_limits<double>::max(), 1).size(), 311U);
  EXPECT_EQ(fixed(12.3, 2), "12.30");
}

}  // namespace
}  // namespace gmr::texts
