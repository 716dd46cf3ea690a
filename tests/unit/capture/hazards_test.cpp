// Captures against threads that do what breaks other tools: none crashes, hangs, or disturbs.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <sys/syscall.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <stdexcept>

#include "capture/thread_capturer.hpp"
#include "test_threads.hpp"

namespace gmr::capture {
namespace {

using testing::find;
using testing::test_thread;

constexpr int captures = 1000;

thread_capture_settings quick() {
  thread_capture_settings settings;
  settings.busy_window = std::chrono::milliseconds{0};
  settings.deadline = std::chrono::seconds{5};  // whatever else the machine does
  return settings;
}

// Captures while two threads repeat `act`; says how often they were captured.
template <class Act>
int capture_against(Act act) {
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> acts = 0;
  const auto body = [&] {
    while (!stop) {
      act();
      ++acts;
    }
  };
  int good = 0;
  {
    test_thread first{body, [&] { stop = true; }};
    test_thread second{body, [&] { stop = true; }};
    thread_capturer capturer{quick()};
    for (int i = 0; i < captures; ++i) {
      const auto& threads = capturer.capture();
      for (const pid_t id : {first.id(), second.id()}) {
        const auto* found = find(threads, id);
        const bool had = found != nullptr && (found->outcome == capture_outcome::ok ||
                                              found->outcome == capture_outcome::truncated);
        good += had ? 1 : 0;
      }
    }
  }
  EXPECT_GT(acts, 0U);
  return good;
}

// A few may be between two states when they are looked at.
constexpr int nearly_all = 2 * captures * 99 / 100;

TEST(Hazards, ThreadsThatThrow) {
#ifdef GMR_WALKING_BACKEND
  GTEST_SKIP() << "the walking backend is not safe against threads that throw";
#endif
  EXPECT_GT(capture_against([] {
              try {
                throw std::runtime_error{"x"};
              } catch (const std::exception&) {
              }
            }),
            nearly_all);
}

TEST(Hazards, ThreadsThatLoadAndUnload) {
#ifdef GMR_WALKING_BACKEND
  GTEST_SKIP() << "the walking backend is not safe against threads that load libraries";
#endif
#ifdef __SANITIZE_THREAD__
  std::mutex loader;  // thread sanitizer does not see the loader's own lock
#else
  struct {
    void lock() {}
    void unlock() {}
  } loader;
#endif
  EXPECT_GT(capture_against([&] {
              const std::lock_guard one_at_a_time{loader};
              void* const library = dlopen("libutil.so.1", RTLD_NOW | RTLD_LOCAL);
              if (library != nullptr) dlclose(library);
            }),
            nearly_all);
}

TEST(Hazards, ThreadsThatAllocate) {
  EXPECT_GT(capture_against([] {
              std::vector<std::unique_ptr<char[]>> blocks;
              for (std::size_t i = 0; i < 20; ++i)
                blocks.push_back(std::make_unique<char[]>(i * 1000 + 1));
            }),
            nearly_all);
}

// The thread may be between two states: what counts is that nothing waits for it, and that its
// signals do not pile up.
TEST(Hazards, ThreadsThatBlockAllSignalsAndLetThemThrough) {
  std::atomic<bool> stop = false;
  test_thread flickering{[&] {
                           sigset_t all;
                           sigfillset(&all);
                           while (!stop) {
                             pthread_sigmask(SIG_SETMASK, &all, nullptr);
                             pthread_sigmask(SIG_UNBLOCK, &all, nullptr);
                           }
                         },
                         [&] { stop = true; }};
  thread_capturer capturer{quick()};
  int good = 0;
  for (int i = 0; i < captures; ++i) {
    const auto outcome = find(capturer.capture(), flickering.id())->outcome;
    EXPECT_THAT(outcome, ::testing::AnyOf(capture_outcome::ok, capture_outcome::signal_blocked));
    good += outcome == capture_outcome::ok ? 1 : 0;
  }
  EXPECT_GT(good, 0);
}

TEST(Hazards, ShortLivedThreads) {
  std::atomic<int> started = 0;
  constexpr int threads = 10'000;
  test_thread starter{[&] {
    for (; started < threads; ++started)
      std::thread{[] {}}.join();
  }};
  thread_capturer capturer{quick()};
  int rounds = 0;
  while (started < threads) {
    for (const thread_snapshot& each : capturer.capture())
      EXPECT_NE(each.outcome, capture_outcome::timeout) << each.name << ' ' << each.state;
    ++rounds;
  }
  EXPECT_GT(rounds, 0);
}

TEST(Hazards, ManyThreadsAtOnce) {
#ifdef __SANITIZE_THREAD__
  constexpr int count = 200;
#else
  constexpr int count = 1000;
#endif
  std::mutex gate;
  gate.lock();
  {
    std::vector<std::unique_ptr<test_thread>> many;
    for (int i = 0; i < count; ++i)
      many.push_back(std::make_unique<test_thread>([&] { const std::lock_guard wait{gate}; }));
    thread_capturer capturer{quick()};
    for (int round = 0; round < 3; ++round) {
      int good = 0;
      for (const thread_snapshot& each : capturer.capture())
        good += each.outcome == capture_outcome::ok ? 1 : 0;
      EXPECT_GE(good, count * 99 / 100);
    }
    gate.unlock();
  }
}

TEST(Hazards, CapturersComeAndGo) {
  std::atomic<bool> stop = false;
  test_thread spinner{[&] {
                        while (!stop)
                          std::this_thread::yield();
                      },
                      [&] { stop = true; }};
  for (int i = 0; i < 300; ++i) {
    thread_capture_settings settings = quick();
    settings.stack_bytes = static_cast<std::size_t>(4096) << (i % 3);
    thread_capturer capturer{settings};
    EXPECT_EQ(find(capturer.capture(), spinner.id())->outcome, capture_outcome::ok);
  }
}

}  // namespace
}  // namespace gmr::capture
