// Findings about groups of green threads: growth from report to report, long waits.
#include "analyse/group_history.hpp"

#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

#include "analyse/stack_use.hpp"

namespace gmr::analyse {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class GroupHistory : public ::testing::Test {
 protected:
  GroupHistory() {
    frame_.function = frame_.function_full = "session";
    frame_.file = "/srv/session.cpp";
    frame_.line = 42;
  }

  // A report with one group, ten seconds after the one before.
  std::vector<finding> report(std::uint64_t count) {
    return history_.add(with(count), now_ += 10s);
  }

  green_threads_info with(std::uint64_t count) {
    green_threads_info info;
    if (count == 0) return info;
    info.stacks.resize(1);
    info.stacks[0].frames = {&frame_};
    green_thread_group& group = info.groups.emplace_back();
    group.count = count;
    group.ids = {7};
    group.kind = green_thread_kind::coroutine;
    group.waits_for.emplace().name = "read";
    return info;
  }

  frame frame_;
  group_history history_;
  std::chrono::steady_clock::time_point now_;
};

TEST_F(GroupHistory, ThreeReportsOfGrowthAreAFinding) {
  EXPECT_THAT(report(100), IsEmpty());
  EXPECT_THAT(report(110), IsEmpty());
  EXPECT_THAT(report(120), IsEmpty());
  const auto found = report(130);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, finding_kind::growing_group);
  EXPECT_EQ(found[0].text,
            "coroutines in session at /srv/session.cpp:42, waiting for read: from 100 to 130 in 30 "
            "s, more in each of the last 3 reports");
  EXPECT_THAT(found[0].green_threads, ::testing::ElementsAre(7));
  EXPECT_THAT(report(131)[0].text, HasSubstr("from 100 to 131 in 40 s"));
}

TEST_F(GroupHistory, ComingAndGoingIsNoGrowth) {
  for (const std::uint64_t count :
       {100U, 200U, 300U, 250U, 350U, 450U, 0U, 500U, 600U, 700U, 700U, 800U})
    EXPECT_THAT(report(count), IsEmpty()) << count;
}

TEST_F(GroupHistory, LittleGrowthIsNoise) {
  for (const std::uint64_t count : {1000U, 1020U, 1040U, 1060U, 1080U})
    EXPECT_THAT(report(count), IsEmpty());
  EXPECT_EQ(report(1100).size(), 1U);
}

TEST_F(GroupHistory, LongWaitsAreFindingsUnlessExpected) {
  green_threads_info info = with(3);
  info.groups[0].oldest_seconds = 12;
  info.groups[0].oldest_id = 9;
  EXPECT_THAT(find_long_waits(info, 0ms), IsEmpty());
  EXPECT_THAT(find_long_waits(info, 13s), IsEmpty());
  const auto found = find_long_waits(info, 10s);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, finding_kind::long_wait);
  EXPECT_EQ(found[0].text,
            "coroutine 9 has waited 12 s, the longest of 3 coroutines, in session at "
            "/srv/session.cpp:42, waiting for read");
  EXPECT_THAT(found[0].green_threads, ::testing::ElementsAre(9));
  info.groups[0].long_running = true;
  EXPECT_THAT(find_long_waits(info, 10s), IsEmpty());
}

TEST(StackUse, IsDownToTheLowestPageTouchedAndTouchesNone) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  auto* const memory = static_cast<char*>(
      mmap(nullptr, 8 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(memory, MAP_FAILED);
  const auto low = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t high = low + 8 * page;
  EXPECT_EQ(high_water_bytes(low, high), 0U);
  memory[6 * page] = 1;
  EXPECT_EQ(high_water_bytes(low, high), 2 * page);
  memory[3 * page] = 1;
  EXPECT_EQ(high_water_bytes(low, high), 5 * page);
  EXPECT_EQ(high_water_bytes(low, high - 16), 5 * page - 16) << "malloc's stacks end anywhere";
  // What else is in the page that such a stack begins in is not its use.
  memory[16] = 1;
  EXPECT_EQ(high_water_bytes(low + 32, high), 5 * page);
  memory[page] = 1;
  EXPECT_EQ(high_water_bytes(low + 32, high), 8 * page - 32);
  munmap(memory, 8 * page);
  EXPECT_FALSE(high_water_bytes(low, high));
  EXPECT_FALSE(high_water_bytes(high, low));
}

}  // namespace
}  // namespace gmr::analyse
