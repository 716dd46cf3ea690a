// Who uses the CPU, and who would like to.
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "capture/thread_capturer.hpp"
#include "test_threads.hpp"

namespace gmr::capture {
namespace {

using testing::capture_all;
using testing::find;
using testing::test_thread;
using testing::wait_until;

void pin_to_first_cpu() {
  cpu_set_t allowed;
  ASSERT_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    return;
  }
}

void yield_to_everybody() {
  const sched_param none{};
  ASSERT_EQ(sched_setscheduler(0, SCHED_IDLE, &none), 0);
}

cpu_times times_of(thread_capturer& capturer, pid_t id) {
  const auto* found = find(capture_all(capturer), id);
  return found != nullptr && found->cpu ? *found->cpu : cpu_times{};
}

// A spinner and, on the same CPU, one whom the kernel lets run only when nobody else wants to.
class Cpu : public ::testing::Test {
 protected:
  std::atomic<bool> stop_ = false;
  std::function<void()> end_ = [this] { stop_ = true; };
  std::function<void()> spin_ = [this] {
    while (!stop_) {
    }
  };
};

TEST_F(Cpu, TheStarvedStandsOutFromTheSpinning) {
  test_thread spinning{[&] {
                         pin_to_first_cpu();
                         spin_();
                       },
                       end_};
  test_thread starved{[&] {
                        pin_to_first_cpu();
                        yield_to_everybody();
                        spin_();
                      },
                      end_};
  thread_capturer capturer{{}};
  wait_until([&] { return times_of(capturer, starved.id()).waiting_seconds > 0.1; });
  const cpu_times hungry = times_of(capturer, starved.id());
  const cpu_times fed = times_of(capturer, spinning.id());
  const auto used = [](const cpu_times& times) {
    return times.user_seconds + times.system_seconds;
  };
  EXPECT_GT(hungry.waiting_seconds, used(hungry));
  EXPECT_GT(used(fed), used(hungry));
}

// Three on one CPU get a third of it each. One of them stops now and then.
TEST_F(Cpu, WhoSpinsIsKnownAlsoWhereTheCpuIsShared) {
  const auto spin_on_first = [&] {
    pin_to_first_cpu();
    spin_();
  };
  test_thread one{spin_on_first, end_};
  test_thread two{spin_on_first, end_};
  test_thread pausing{[&] {
                        pin_to_first_cpu();
                        while (!stop_) {
                          std::this_thread::sleep_for(std::chrono::microseconds{1});
                          const std::uint64_t begin = os::cpu_clock(gettid());
                          while (!stop_ && os::cpu_clock(gettid()) < begin + 1'000'000) {
                          }
                        }
                      },
                      end_};
  thread_capturer capturer{{}};
  wait_until([&] {
    const cpu_times times = times_of(capturer, one.id());
    return times.never_paused && times.recent_percent < 60;
  });
  wait_until([&] { return times_of(capturer, two.id()).never_paused; });
  for (int i = 0; i < 5; ++i)
    EXPECT_FALSE(times_of(capturer, pausing.id()).never_paused);
}

TEST_F(Cpu, UserAndSystemTimeAreToldApart) {
  test_thread computing{spin_, end_};
  test_thread asking{[&] {
                       while (!stop_)
                         for (int i = 0; i < 1000; ++i)
                           syscall(SYS_getppid);
                     },
                     end_};
  thread_capturer capturer{{}};
  wait_until([&] { return times_of(capturer, computing.id()).user_seconds > 0.05; });
  wait_until([&] { return times_of(capturer, asking.id()).system_seconds > 0.02; });
  const cpu_times user = times_of(capturer, computing.id());
  EXPECT_GT(user.user_seconds, user.system_seconds);
}

TEST_F(Cpu, ASleepingThreadUsedNothingMeanwhile) {
  testing::pipe_ends pipe;
  test_thread sleeping{[&] {
                         char byte = 0;
                         EXPECT_EQ(read(pipe.ends[0], &byte, 1), 1);
                       },
                       [&] { pipe.write_byte(); }};
  sleeping.wait_blocked_in(SYS_read);
  thread_capturer capturer{{}};
  const auto& threads = capture_all(capturer, [](const stack_snapshot&) { return true; });
  EXPECT_EQ(find(threads, sleeping.id())->cpu->recent_percent, 0);
}

}  // namespace
}  // namespace gmr::capture
