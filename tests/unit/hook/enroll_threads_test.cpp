// gmr::trace_threads gives every thread an alternate signal stack.
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <future>
#include <set>
#include <thread>
#include <vector>

#include "hook/threads/thread_registry.hpp"

namespace gmr::trace {
namespace {

bool is_covered() {
  thread_traits traits;
  stack_t present{};
  return find_thread(gettid(), traits) && traits.alternate.high != 0 &&
         sigaltstack(nullptr, &present) == 0 && (present.ss_flags & SS_DISABLE) == 0;
}

TEST(EnrollThreads, ThoseOfTheStandardLibrary) {
  bool covered = false;
  std::thread{[&] { covered = is_covered(); }}.join();
  EXPECT_TRUE(covered);
  EXPECT_TRUE(std::async(std::launch::async, is_covered).get());
}

TEST(EnrollThreads, ThoseMadeWithAttributesAndWhatTheyReturn) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 64 * 1024);
  pthread_t thread{};
  const auto body = [](void* argument) -> void* { return is_covered() ? argument : nullptr; };
  int value = 0;
  ASSERT_EQ(pthread_create(&thread, &attributes, body, &value), 0);
  void* result = nullptr;
  pthread_join(thread, &result);
  pthread_attr_destroy(&attributes);
  EXPECT_EQ(result, &value);
}

TEST(EnrollThreads, ThoseThatEndByTheirOwnCall) {
  static bool destroyed = false;
  struct guard {
    ~guard() { destroyed = true; }
  };
  pthread_t thread{};
  const auto body = [](void*) -> void* {
    const guard unwound;
    pthread_exit(nullptr);
  };
  ASSERT_EQ(pthread_create(&thread, nullptr, body, nullptr), 0);
  pthread_join(thread, nullptr);
  EXPECT_TRUE(destroyed);
}

// Takes all slots of the table that nobody has, as so many threads would.
class full_table {
 public:
  full_table() {
    for (std::size_t i = 0; i < thread_slot_count; ++i) {
      pid_t nobody = 0;
      if (thread_slots[i].tid.compare_exchange_strong(nobody, claimed)) mine_.push_back(i);
    }
  }
  ~full_table() {
    for (const std::size_t each : mine_)
      thread_slots[each].tid = 0;
  }

 private:
  static constexpr pid_t claimed = -1;
  std::vector<std::size_t> mine_;
};

TEST(EnrollThreads, BeyondTheTableThreadsHaveSlotsThatAreUsedAgain) {
  const full_table table;
  std::set<const thread_slot*> seen;
  bool has_stack = true;
  for (int i = 0; i < 100; ++i)
    std::thread{[&] {
      seen.insert(gmr_this_thread);
      has_stack = has_stack && gmr_this_thread->alternate_high != 0;
    }}.join();
  EXPECT_EQ(seen.size(), 1U);
  EXPECT_TRUE(has_stack);
  const thread_slot* first = nullptr;
  std::thread{[&] {
    first = gmr_this_thread;
    std::thread{[&] { EXPECT_NE(gmr_this_thread, first); }}.join();
  }}.join();
  EXPECT_TRUE(seen.contains(first));
}

TEST(EnrollThreads, NoneIsLeftBehind) {
  pid_t last = 0;
  for (int i = 0; i < 1000; ++i)
    std::thread{[&] { last = gettid(); }}.join();
  thread_traits traits;
  EXPECT_FALSE(find_thread(last, traits));
}

}  // namespace
}  // namespace gmr::trace
