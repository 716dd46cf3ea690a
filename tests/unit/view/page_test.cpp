#include "view/page.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace gmr::views
