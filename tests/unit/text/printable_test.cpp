#include "text/printable.hpp"

#include <gtest/gtest.h>

namespace gmr::texts {
namespace {

TEST(Printable, LeavesTextAlone) {
  EXPECT_EQ(printable("plain, grüße, 日本, 🙂"), "plain, grüße, 日本, 🙂");
}

TEST(Printable, EscapesWhatATerminalObeys) {
  EXPECT_EQ(printable("a\x1b[2Jb"), "a\\x1b[2Jb");
  EXPECT_EQ(printable("a\nb\tc\r"), "a\\nb\\tc\\r");
  EXPECT_EQ(printable(std::string_view{"\0\x7f", 2}), "\\x00\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "2J"),
            "\\u{9b}2J")
      << "CSI as one code point";
  EXPECT_EQ(printable("\xe2\x80\xae"
                      "txt"),
            "\\u{202e}txt")
      << "reverses what follows";
  EXPECT_EQ(printable("\xd8\x9c"
                      "1"),
            "\\u{61c}1")
      << "an Arabic letter mark";
}

TEST(Printable, EscapesWhatIsNotUtf8) {
  EXPECT_EQ(printable("\xff"), "\\xff");
  EXPECT_EQ(printable("\xc3"), "\\xc3") << "cut short";
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf") << "overlong";
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "above U+10FFFF";
}

TEST(Printable, KeepsLineBreaksWhenAsked) {
  EXPECT_EQ(printable("a\nb\rc", line_breaks::keep), "a\nb\\rc");
}

TEST(ValidUtf8, IsTheSameTextUnlessItMustBeRepaired) {
  std::string scratch;
  const std::string_view good =
      "gr\xc3\xbc\xc3\x9f"
      "e\x01";
  EXPECT_EQ(valid_utf8(good, scratch).data(), good.data());
  EXPECT_EQ(valid_utf8("a\xff\xc3\xbc", scratch), "a\\xff\xc3\xbc");
}

TEST(Misleads, SaysWhetherATerminalWouldObey) {
  EXPECT_FALSE(misleads("plain, gr\xc3\xbc\xc3\x9f, \xe6\x97\xa5"));
  for (const char* bad : {"a\xc2\x80", "\xc2\x9f", "\xd8\x9c", "\xe2\x80\x8e", "\xe2\x80\x8f",
                          "\xe2\x80\xaa", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa9"})
    EXPECT_TRUE(misleads(bad)) << printable(bad);
}

TEST(Columns, CountsCodePoints) {
  EXPECT_EQ(columns("aüb"), 3U);
  EXPECT_EQ(first_columns("aüb", 2), "aü");
  EXPECT_EQ(first_columns("aüb", 9), "aüb");
}

}  // namespace
}  // namespace gmr::texts
