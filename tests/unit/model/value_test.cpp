#include "gmr/model/value.hpp"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

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

const std::string& text_of(const gmr::value& shown) {
  return std::get<std::string>(shown.get());
}

TEST(Value, ACharacterIsText) {
  EXPECT_EQ(text_of('x'), "x");
  EXPECT_EQ(text_of(u8"text"), "text");
  char buffer[] = "buffer";
  EXPECT_EQ(text_of(buffer), "buffer");
  EXPECT_EQ(text_of(static_cast<char*>(buffer)), "buffer");
}

TEST(Value, BytesAreNumbers) {
  EXPECT_EQ(std::get<std::uint64_t>(gmr::value(std::uint8_t{120}).get()), 120U);
  EXPECT_EQ(std::get<std::int64_t>(gmr::value(std::int8_t{-1}).get()), -1);
}

TEST(Value, NumbersWithAPointAreDoubles) {
  EXPECT_EQ(std::get<double>(gmr::value(0.5F).get()), 0.5);
  EXPECT_EQ(std::get<double>(gmr::value(0.5L).get()), 0.5);
}

TEST(Value, NoTextAtAllIsNull) {
  EXPECT_TRUE(gmr::value(static_cast<const char*>(nullptr)).is_null());
  EXPECT_TRUE(gmr::value(nullptr).is_null());
}

TEST(Value, ARangeIsAList) {
  const auto count_of = [](const gmr::value& shown) {
    return std::get<gmr::list>(shown.get()).items.size();
  };
  EXPECT_EQ(count_of(std::vector<int>{1, 2}), 2U);
  EXPECT_EQ(count_of(std::vector<bool>{true, false, true}), 3U);
  EXPECT_EQ(count_of(std::deque<std::string>{}), 0U);
  EXPECT_EQ(count_of(std::array<const char*, 1>{"one"}), 1U);
  const double numbers[] = {0.5, 1.5};
  EXPECT_EQ(count_of(numbers), 2U);
  EXPECT_EQ(count_of(std::span<const double>{numbers}), 2U);
  const gmr::value nested{std::vector<std::vector<bool>>{{true}, {}}};
  const gmr::value& inner = std::get<gmr::list>(nested.get()).items.at(0);
  EXPECT_TRUE(std::get<bool>(std::get<gmr::list>(inner.get()).items.at(0).get()));
}

TEST(Value, AMapIsNamedValuesInItsOrder) {
  const gmr::value shown{std::map<std::string, std::vector<int>>{{"b", {}}, {"a", {7}}}};
  const auto& entries = std::get<gmr::key_values>(shown.get()).entries;
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].first, "a");
  EXPECT_EQ(std::get<gmr::list>(entries[0].second.get()).items.size(), 1U);
  EXPECT_EQ(entries[1].first, "b");
  const gmr::value unordered{std::unordered_map<std::string_view, int>{{"x", 1}}};
  EXPECT_EQ(std::get<gmr::key_values>(unordered.get()).entries.at(0).first, "x");
}

// A path is a range of paths, and is meant as text.
TEST(Value, APathIsText) {
  EXPECT_EQ(text_of(std::filesystem::path{"/srv/orders"}), "/srv/orders");
}

// On a stack of any size: a destructor that calls itself for each level would need 30 MB here.
TEST(Value, TreesOfAnyDepthAreDestroyed) {
  for (const int kind : {0, 1, 2}) {
    gmr::value tree{1};
    for (int level = 0; level < 200'000; ++level) {
      if (kind == 0) {
        gmr::list one;
        one.items.push_back(std::move(tree));
        tree = std::move(one);
      } else if (kind == 1) {
        tree = gmr::key_values{}.add("name", std::move(tree));
      } else {
        gmr::table one{{"column"}, {}};
        one.rows.emplace_back().push_back(std::move(tree));
        tree = std::move(one);
      }
    }
  }
}

// They were shown as true.
struct session {};
static_assert(!std::is_constructible_v<gmr::value, session*>);
static_assert(!std::is_constructible_v<gmr::value, const session*>);
static_assert(!std::is_constructible_v<gmr::value, void*>);
static_assert(!std::is_constructible_v<gmr::value, const unsigned char (&)[4]>);
static_assert(!std::is_constructible_v<gmr::value, int*>);
static_assert(!std::is_constructible_v<gmr::value, std::vector<session>>);
static_assert(!std::is_constructible_v<gmr::value, void (*)()>);
static_assert(!std::is_convertible_v<session*, gmr::value>);
static_assert(std::is_convertible_v<int, gmr::value>);
static_assert(std::is_convertible_v<std::optional<double>, gmr::value>);

}  // namespace
