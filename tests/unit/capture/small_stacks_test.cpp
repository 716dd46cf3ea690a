// A signal is never sent to a thread that has no room for it.
#include <gmock/gmock.h>
#include <pthread.h>
#include <sys/syscall.h>

#include "capture/thread_capturer.hpp"
#include "gmr/trace/enroll.hpp"
#include "test_threads.hpp"

namespace gmr::capture {
namespace {

using testing::find;
using testing::pipe_ends;
using testing::wait_until;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // these need larger stacks
void* run_small(void* argument) {
  (*static_cast<std::function<void()>*>(argument))();
  return nullptr;
}

// A thread with a stack of 16 KiB, of which `used` are in use when it has `begun`.
void with_small_thread(std::size_t used, const std::function<void()>& begun,
                       const std::function<void(pid_t)>& use) {
  pipe_ends hold;
  std::atomic<pid_t> id = 0;
  std::function<void()> body = [&] {
    begun();
    auto* const room = static_cast<volatile char*>(__builtin_alloca(used));
    room[0] = 1;
    id = static_cast<pid_t>(syscall(SYS_gettid));
    char byte = 0;
    syscall(SYS_read, hold.ends[0], &byte, 1);
  };
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  constexpr std::size_t small = 16384;
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, small), 0);
  pthread_t thread{};
  ASSERT_EQ(pthread_create(&thread, &attributes, run_small, &body), 0);
  pthread_attr_destroy(&attributes);
  task_files files;
  wait_until([&] {
    const auto blocked = id != 0 ? files.blocked_in(id) : std::nullopt;
    return blocked && blocked->number == SYS_read;
  });
  use(id);
  hold.write_byte();
  pthread_join(thread, nullptr);
}

constexpr std::size_t nearly_all = 9 * 1024;

TEST(SmallStacks, AThreadWithTooLittleStackIsNotSignalled) {
  thread_capturer capturer{{}};
  with_small_thread(
      nearly_all, [] {},
      [&](pid_t id) {
        const auto* found = find(capturer.capture(), id);
        ASSERT_NE(found, nullptr);
        EXPECT_EQ(found->outcome, capture_outcome::not_signalled);
        EXPECT_THAT(found->note, ::testing::HasSubstr("too little stack"));
      });
}

TEST(SmallStacks, WithAnAlternateStackItIs) {
  thread_capturer capturer{{}};
  with_small_thread(nearly_all, enroll_this_thread, [&](pid_t id) {
    const auto* found = find(capturer.capture(), id);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->outcome, capture_outcome::ok) << found->note;
    EXPECT_TRUE(found->stack.full_registers);
  });
}

TEST(SmallStacks, ARunningThreadOnASmallStackIsNotSignalled) {
  std::atomic<bool> stop = false;
  std::atomic<pid_t> running = 0;
  std::thread starter{[&] {
    with_small_thread(
        16,
        [&] {
          running = gettid();
          while (!stop) {
          }
        },
        [](pid_t) {});
  }};
  wait_until([&] { return running != 0; });
  thread_capturer capturer{{}};
  const auto* found = find(capturer.capture(), running);
  EXPECT_TRUE(found != nullptr && found->outcome == capture_outcome::not_signalled);
  stop = true;
  starter.join();
}
#endif

}  // namespace
}  // namespace gmr::capture
