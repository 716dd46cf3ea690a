#include "os/task_stat.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

namespace gmr::os {
namespace {

TEST(TaskStat, TakesAnyName) {
  const std::string rest = " S 7 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 12 0 345678 0";
  const auto stat = parse_task_stat("42 (a) S (b))" + rest);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->name, "a) S (b)");
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->parent, 7);
  EXPECT_EQ(stat->threads, 12U);
  EXPECT_EQ(stat->start_ticks, 345678U);
}

TEST(TaskStat, RefusesWhatIsCutOff) {
  const std::string whole = "42 (name) S 7 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 12 0 345678";
  ASSERT_TRUE(parse_task_stat(whole));
  const std::size_t last_field = whole.rfind(' ') + 1;
  for (std::size_t length = 0; length < last_field; ++length)
    EXPECT_FALSE(parse_task_stat(std::string_view(whole).substr(0, length))) << length;
}

TEST(TaskStat, KnowsTheTimesAndTheBlockedSignals) {
  const auto stat = parse_task_stat(
      "42 (n) R 7 1 1 0 -1 4194560 1 2 3 4 150 25 7 8 20 0 12 0 345678 1000 10 "
      "18446744073709551615 1 2 3 4 5 0 6 7 8");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->user_ticks, 150U);
  EXPECT_EQ(stat->system_ticks, 25U);
  EXPECT_EQ(stat->blocked, 6U);
}

TEST(TaskStat, OfThisProcess) {
  const auto stat = read_process_stat(::getpid());
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->parent, ::getppid());
  EXPECT_EQ(stat->threads, 1U);
  EXPECT_FALSE(read_process_stat(-1));
}

}  // namespace
}  // namespace gmr::os
