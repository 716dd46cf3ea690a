#include "gmr/model/value.hpp"

#include <gtest/gtest.h>

namespace {

TEST(Value, KeepsTheSignednessOfIntegers) {
  EXPECT_TRUE(std::holds_alternative<std::int64_t>(gmr::value(-1).get()));
  EXPECT_TRUE(std::holds_alternative<std::uint64_t>(gmr::value(1U).get()));
  EXPECT_TRUE(std::holds_alternative<bool>(gmr::value(true).get()));
}

TEST(Value, AnEmptyOptionalIsNull) {
  EXPECT_TRUE(gmr::value(std::optional<int>{}).is_null());
  EXPECT_EQ(std::get<std::int64_t>(gmr::value(std::optional<int>{7}).get()), 7);
}

TEST(Value, KeyValuesKeepTheirOrder) {
  gmr::key_values pairs;
  pairs.add("b", 1).add("a", "x");
  ASSERT_EQ(pairs.entries.size(), 2U);
  EXPECT_EQ(pairs.entries[0].first, "b");
  EXPECT_EQ(std::get<std::string>(pairs.entries[1].second.get()), "x");
}

}  // namespace
