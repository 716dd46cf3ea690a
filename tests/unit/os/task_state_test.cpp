#include "os/task_state.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>

namespace gmr::os {
namespace {

TEST(TaskState, EachLetterOfTheKernelHasAWordOfItsOwn) {
  std::set<std::string_view> words;
  constexpr std::string_view letters = "RSDTtZXIP";  // fs/proc/array.c
  for (const char letter : letters)
    words.insert(state_word(letter));
  EXPECT_EQ(words.size(), letters.size());
  EXPECT_EQ(words.count("unknown"), 0U);
  EXPECT_EQ(state_word('D'), "uninterruptible");
  EXPECT_EQ(state_word('?'), "unknown");
}

}  // namespace
}  // namespace gmr::os
