// Deadlocks are named exactly; a lock held by a thread that lives is none.
#include <gmock/gmock.h>
#include <pthread.h>

#include <barrier>
#include <memory>
#include <mutex>

#include "live_report.hpp"
#include "support/in_child.hpp"

namespace gmr::analyse {
namespace {

using gmr::test::in_child;
using testing::report_now;
using testing::test_thread;
using testing::wait_for_kind;

std::vector<finding> of_kind(const std::vector<finding>& all, finding_kind kind) {
  std::vector<finding> found;
  std::copy_if(all.begin(), all.end(), std::back_inserter(found),
               [&](const finding& each) { return each.kind == kind; });
  return found;
}

// In C: thread sanitizer's lock order check would end the child.
struct circle {
  explicit circle(std::size_t size) : locks(size), everyone(static_cast<std::ptrdiff_t>(size)) {
    for (pthread_mutex_t& each : locks)
      pthread_mutex_init(&each, nullptr);
    for (std::size_t i = 0; i < size; ++i)
      threads.push_back(std::make_unique<test_thread>([this, i] {
        pthread_mutex_lock(&locks[i]);
        everyone.arrive_and_wait();
        pthread_mutex_lock(&locks[(i + 1) % locks.size()]);
      }));
    for (const auto& each : threads)
      wait_for_kind(each->id(), wait_kind::mutex);
  }
  std::vector<pthread_mutex_t> locks;
  std::barrier<> everyone;
  std::vector<std::unique_ptr<test_thread>> threads;
};

class Deadlocks : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Deadlocks, AreNamedExactly) {
  in_child([] {
    auto* const stuck = new circle{GetParam()};
    const auto found = of_kind(findings_of(report_now()), finding_kind::deadlock);
    ASSERT_EQ(found.size(), 1U);
    std::vector<pid_t> ids;
    for (const auto& each : stuck->threads)
      ids.push_back(each->id());
    EXPECT_THAT(found[0].threads, ::testing::UnorderedElementsAreArray(ids));
    for (std::size_t i = 0; i < ids.size(); ++i) {  // thread i holds lock i
      char address[32];
      std::snprintf(address, sizeof address, "%p", static_cast<void*>(&stuck->locks[i]));
      EXPECT_THAT(
          found[0].text,
          ::testing::HasSubstr(std::string{"mutex "} + address + " held by " +
                               (ids.size() == 1 ? "itself" : "thread " + std::to_string(ids[i]))));
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Sizes, Deadlocks, ::testing::Values(1, 2, 3, 10));

TEST(Deadlock, TwoAreTwo) {
  in_child([] {
    new circle{2};
    new circle{3};
    EXPECT_EQ(of_kind(findings_of(report_now()), finding_kind::deadlock).size(), 2U);
  });
}

TEST(Deadlock, OneWhoWaitsForTheDeadlockedIsNotPartOfIt) {
  in_child([] {
    auto* const stuck = new circle{2};
    test_thread outside{[&] { pthread_mutex_lock(&stuck->locks[0]); }};
    wait_for_kind(outside.id(), wait_kind::mutex);
    const auto found = of_kind(findings_of(report_now()), finding_kind::deadlock);
    EXPECT_EQ(found.size(), 1U);
    EXPECT_THAT(found[0].threads, ::testing::Not(::testing::Contains(outside.id())));
    std::fflush(nullptr);
    _exit(::testing::Test::HasFailure() ? 1 : 0);  // it can't be joined
  });
}

TEST(Deadlock, ALockHeldByALiveThreadIsNone) {
  std::mutex held;
  held.lock();  // by this thread, which goes on
  {
    test_thread first{[&] { const std::lock_guard wait{held}; }};
    test_thread second{[&] { const std::lock_guard wait{held}; }};
    wait_for_kind(first.id(), wait_kind::mutex);
    wait_for_kind(second.id(), wait_kind::mutex);
    EXPECT_THAT(findings_of(report_now()), ::testing::IsEmpty());
    held.unlock();
  }
}

TEST(Deadlock, ACircleThatIsGoneByNowIsNone) {
  report stale = report_now();
  for (const pid_t id : {100, 200}) {
    thread_info& thread = stale.threads.emplace_back();
    thread.id = id;
    wait_info& wait = thread.waits_for.emplace();
    wait.kind = wait_kind::mutex;
    wait.address = 0x1000;
    wait.owner = 300 - id;
  }
  EXPECT_THAT(of_kind(findings_of(stale), finding_kind::deadlock), ::testing::IsEmpty());
}

// Two threads that take two locks in the same order wait for each other all the time.
TEST(Deadlock, BusyLocksAreNone) {
  std::mutex outer;
  std::mutex inner;
  std::atomic<bool> stop = false;
  const auto body = [&] {
    while (!stop) {
      const std::lock_guard first{outer};
      const std::lock_guard second{inner};
    }
  };
  const auto end = [&] { stop = true; };
  test_thread one{body, end};
  test_thread two{body, end};
  test_thread three{body, end};
  for (int i = 0; i < 500; ++i)
    EXPECT_THAT(of_kind(findings_of(report_now()), finding_kind::deadlock), ::testing::IsEmpty());
}

TEST(Convoy, NamesTheOwnerFirst) {
  std::mutex held;
  held.lock();
  {
    std::vector<std::unique_ptr<test_thread>> waiting;
    for (int i = 0; i < 4; ++i) {
      waiting.push_back(std::make_unique<test_thread>([&] { const std::lock_guard wait{held}; }));
      wait_for_kind(waiting.back()->id(), wait_kind::mutex);
    }
    const auto found = findings_of(report_now());
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].kind, finding_kind::convoy);
    EXPECT_EQ(found[0].threads.size(), 5U);
    EXPECT_EQ(found[0].threads.front(), gettid());
    EXPECT_THAT(found[0].text, ::testing::StartsWith("4 threads wait for mutex 0x"));
    held.unlock();
  }
}

TEST(Spinning, OnlyWhoUsesAWholeCpuAndIsNotTheReporter) {
  report made;
  for (const double percent : {99.0, 40.0, 99.0}) {
    thread_info& thread = made.threads.emplace_back();
    thread.id = static_cast<pid_t>(made.threads.size());
    thread.cpu.emplace().recent_percent = percent;
  }
  made.threads[2].is_reporter = true;
  const auto found = findings_of(made);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, finding_kind::spinning_thread);
  EXPECT_THAT(found[0].threads, ::testing::ElementsAre(1));
  EXPECT_THAT(found[0].text, ::testing::EndsWith(" uses a whole CPU"));
  made.threads[1].cpu->never_paused = true;
  const auto both = findings_of(made);
  ASSERT_EQ(both.size(), 2U);
  EXPECT_THAT(both[1].threads, ::testing::ElementsAre(2));
  EXPECT_THAT(both[1].text, ::testing::EndsWith(" uses all it can get of a CPU, 40 %"));
}

}  // namespace
}  // namespace gmr::analyse
