#include "view/page.hpp"

#include <gtest/gtest.h>

#include "view/human.hpp"

namespace gmr::views {
namespace {

TEST(Page, BreaksLongLinesAtBlanksAndIndentsTheRest) {
  page out;
  std::string words;
  for (int count = 0; count < 60; ++count)
    words += "word ";
  words.pop_back();
  out.line(2, words);
  const std::string text = out.take();
  std::size_t lines = 0;
  std::string joined;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = text.find('\n', from);
    EXPECT_LE(end - from, page::width);
    EXPECT_EQ(text.substr(from, end - from).find_first_not_of(' '), lines == 0 ? 2U : 6U);
    joined += (lines++ == 0 ? "" : " ") + text.substr(text.find_first_not_of(' ', from),
                                                      end - text.find_first_not_of(' ', from));
    from = end + 1;
  }
  EXPECT_EQ(joined, words);
  EXPECT_GT(lines, 2U);
}

TEST(Page, BreaksTheTitlesOfBlocksToo) {
  page out;
  out.block("Thread 1 " + std::string(80, 'a') + " " + std::string(20, 'b'));
  EXPECT_EQ(out.take(),
            "---- Thread 1 " + std::string(80, 'a') + "\n    " + std::string(20, 'b') + "\n");
}

TEST(Page, KeepsWhatHasNoPlaceToBreak) {
  page out;
  const std::string name(250, 'x');
  out.line(0, name + " end");
  EXPECT_EQ(out.take(), name + "\n    end\n");
}

TEST(JoinSome, SaysHowManyAreLeftOut) {
  EXPECT_EQ(join_some({"a", "b", "c"}, 2, 3), "a, b and 1 more");
  EXPECT_EQ(join_some({"a", "b"}, 5, 2), "a, b");
  EXPECT_EQ(join_some({"a"}, 5, 200), "a and 199 more");
}

TEST(JoinFitting, TakesAsManyAsThereIsRoomFor) {
  EXPECT_EQ(join_fitting({"aaa", "bbb", "ccc"}, 10, 7), "aaa, bbb and 5 more");
  EXPECT_EQ(join_fitting({"aaa", "bbb", "ccc"}, 100, 3), "aaa, bbb, ccc");
  EXPECT_EQ(join_fitting({std::string(50, 'a'), "b"}, 10, 2), std::string(50, 'a') + " and 1 more");
}

TEST(Human, Durations) {
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
}

TEST(Human, Bytes) {
  EXPECT_EQ(human_bytes(512), "512 B");
  EXPECT_EQ(human_bytes(4096), "4.0 KiB");
  EXPECT_EQ(human_bytes(12'898'304), "12.3 MiB");
}

TEST(Human, Times) {
  using namespace std::chrono;
  EXPECT_EQ(rfc3339(system_clock::time_point{milliseconds{1'700'000'000'125}}),
            "2023-11-14T22:13:20.125Z");
}

}  // namespace
}  // namespace gmr::views
