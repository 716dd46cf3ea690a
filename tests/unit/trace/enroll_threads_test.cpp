// gmr::trace_threads gives every thread an alternate signal stack.
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "trace/thread_registry.hpp"

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

TEST(EnrollThreads, NoneIsLeftBehind) {
  pid_t last = 0;
  for (int i = 0; i < 1000; ++i)
    std::thread{[&] { last = gettid(); }}.join();
  thread_traits traits;
  EXPECT_FALSE(find_thread(last, traits));
}

}  // namespace
}  // namespace gmr::trace
