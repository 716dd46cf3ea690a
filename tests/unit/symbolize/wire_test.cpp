// Whatever the helper program answers, the service goes on.
#include "symbolize/wire.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gmr::symbolize {
namespace {

found_answer example() {
  return {7, {{"orders::run()", "/src/orders.cpp", 12, true}, {"main", "/src/main.cpp", 3, false}}};
}

std::vector<message> all_in(message_splitter& splitter) {
  std::vector<message> found;
  while (const auto next = splitter.next())
    found.push_back(*next);
  return found;
}

TEST(Wire, MessagesComeThroughInPieces) {
  const std::string bytes = to_message(example()) + finished_message();
  message_splitter splitter;
  std::vector<message_kind> kinds;
  for (const char byte : bytes) {
    splitter.add({&byte, 1});
    while (const auto next = splitter.next()) {
      kinds.push_back(next->kind);
      if (next->kind != message_kind::found) continue;
      found_answer answer;
      ASSERT_TRUE(parse(next->content, answer));
      ASSERT_EQ(answer.places.size(), 2U);
      EXPECT_EQ(answer.index, 7U);
      EXPECT_EQ(answer.places[0].function, "orders::run()");
      EXPECT_EQ(answer.places[0].line, 12U);
      EXPECT_TRUE(answer.places[0].inlined);
      EXPECT_EQ(answer.places[1].file, "/src/main.cpp");
    }
  }
  EXPECT_EQ(kinds, (std::vector{message_kind::found, message_kind::finished}));
  EXPECT_FALSE(splitter.is_broken());
}

TEST(Wire, OrdersComeThrough) {
  open_order sent;
  sent.level = name_level::lines;
  sent.module.path = "/usr/lib/libx.so";
  sent.module.build_id = "abcd";
  sent.module.start = 0x1000;
  sent.module.segments = {{.address = 1, .file_offset = 2, .file_size = 3, .memory_size = 4}};
  message_splitter splitter;
  splitter.add(to_message(sent));
  const auto next = splitter.next();
  ASSERT_TRUE(next.has_value());
  open_order got;
  ASSERT_TRUE(parse(next->content, got));
  EXPECT_EQ(got.level, sent.level);
  EXPECT_EQ(got.module.path, sent.module.path);
  ASSERT_EQ(got.module.segments.size(), 1U);
  EXPECT_EQ(got.module.segments[0].memory_size, 4U);
}

TEST(Wire, AnAnswerThatIsCutOffIsNone) {
  const std::string bytes = to_message(example());
  const std::string content = bytes.substr(sizeof(std::uint32_t) + 1);
  for (std::size_t size = 0; size < content.size(); ++size) {
    found_answer answer;
    EXPECT_FALSE(parse(std::string_view{content}.substr(0, size), answer)) << size;
  }
}

TEST(Wire, AnyByteMayBeWrong) {
  const std::string bytes = to_message(example()) + to_message(reading_answer{{1, 2, 3}});
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      std::string wrong = bytes;
      wrong[at] = static_cast<char>(value);
      message_splitter splitter;
      splitter.add(wrong);
      for (const message& each : all_in(splitter)) {
        found_answer found;
        reading_answer reading;
        opened_answer opened;
        (void)parse(each.content, found);
        (void)parse(each.content, reading);
        (void)parse(each.content, opened);
        EXPECT_LE(found.places.size(), 1024U);
        EXPECT_LE(reading.indexes.size(), each.content.size());
      }
    }
  }
}

TEST(Wire, ASizeThatIsTooLargeIsNotWaitedFor) {
  message_splitter splitter;
  splitter.add({"\xff\xff\xff\x7f", 4});
  EXPECT_FALSE(splitter.next().has_value());
  EXPECT_TRUE(splitter.is_broken());
}

TEST(Wire, WhatIsTooLongIsCut) {
  found_answer answer{0, {}};
  for (int i = 0; i < 100; ++i)
    answer.places.push_back({std::string(100'000, 'x'), "f", 1, true});
  message_splitter splitter;
  splitter.add(to_message(answer));
  const auto next = splitter.next();
  ASSERT_TRUE(next.has_value());
  found_answer got;
  ASSERT_TRUE(parse(next->content, got));
  EXPECT_GT(got.places.size(), 1U);
  EXPECT_LT(got.places.size(), 100U);
}

}  // namespace
}  // namespace gmr::symbolize
