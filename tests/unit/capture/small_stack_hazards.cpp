// Captures of threads on 16 KiB, of which nearly all is used.
#include <gmock/gmock.h>
#include <pthread.h>

#include "gmr/trace/enroll.hpp"
#include "guarded_stack.hpp"
#include "stack_check.hpp"
#include "test_threads.hpp"

namespace gmr::capture {
namespace {

using testing::captures_of_a_hazard;
using testing::guarded_stack;
using testing::small_stack;
using testing::stack_checker;
using testing::wait_until;
using testing::with_little_left;

// A thread on a guarded stack that does nothing but call and return, with a KiB of stack left.
class small_thread {
 public:
  explicit small_thread(bool enrolled) : enrolled_(enrolled) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    EXPECT_EQ(pthread_attr_setstack(&attributes, memory_.low(), small_stack), 0);
    EXPECT_EQ(pthread_create(&thread_, &attributes, run, this), 0);
    pthread_attr_destroy(&attributes);
    wait_until([this] { return acts_ > 0; });
  }
  ~small_thread() {
    stop_ = true;
    pthread_join(thread_, nullptr);
    EXPECT_TRUE(memory_.intact());
  }
  small_thread(const small_thread&) = delete;
  small_thread& operator=(const small_thread&) = delete;

  [[nodiscard]] pid_t id() const { return id_; }

 private:
  static void* run(void* argument) {
    auto& self = *static_cast<small_thread*>(argument);
    if (self.enrolled_) enroll_this_thread();
    self.id_ = gettid();
    with_little_left(self.memory_, [&self] {
      auto act = [] { asm volatile("" : : : "memory"); };
      testing::known::repeat(act, self.stop_, self.acts_);
    });
    return nullptr;
  }

  guarded_stack memory_;
  bool enrolled_;
  std::atomic<bool> stop_ = false;
  std::atomic<std::uint64_t> acts_ = 0;
  std::atomic<pid_t> id_ = 0;
  pthread_t thread_{};
};

TEST(SmallStackHazards, EnrolledThreadsWithAKilobyteLeft) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "threads of sanitized programs need larger stacks";
#endif
  const small_thread thread{true};
  stack_checker checker{{}};
  for (int i = 0; i < captures_of_a_hazard(); ++i) {
    checker.capture();
    checker.judge(thread.id());
  }
  checker.print("16 KiB thread stacks, enrolled");
  EXPECT_EQ(checker.result().wrong, 0) << checker.result().first_wrong;
  EXPECT_GE(checker.result().right, checker.result().all() * 97 / 100);
}

TEST(SmallStackHazards, ThreadsWithAKilobyteLeft) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "threads of sanitized programs need larger stacks";
#endif
  const small_thread thread{false};
  stack_checker checker{{}};
  for (int i = 0; i < captures_of_a_hazard(); ++i) {
    const auto* const found = testing::find(checker.capture(), thread.id());
    ASSERT_NE(found, nullptr);
    ASSERT_EQ(found->outcome, capture_outcome::not_signalled);
    checker.judge(thread.id());
  }
  checker.print("16 KiB thread stacks");
  EXPECT_EQ(checker.result().wrong, 0) << checker.result().first_wrong;
}

}  // namespace
}  // namespace gmr::capture
