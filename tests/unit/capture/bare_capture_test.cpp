// What the raw report takes of threads, with whatever the program has done to signals and
// descriptors.
#include "capture/bare_capture.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <span>
#include <string_view>
#include <thread>

#include "capture/capture_handler.hpp"
#include "capture/signal_action.hpp"
#include "capture/slot_pool.hpp"
#include "capture/thread_capturer.hpp"
#include "support/in_child.hpp"
#include "support/refused_call.hpp"
#include "test_threads.hpp"

namespace gmr::capture {
namespace {

using testing::test_thread;
using testing::wait_until;

constexpr std::size_t reserved_room = 65536;

// Never blocked, so that nothing but a signal tells of it.
class spinning_thread {
 public:
  [[nodiscard]] pid_t id() const { return thread_.id(); }

 private:
  std::atomic<bool> stop_ = false;
  test_thread thread_{[this] {
                        while (!stop_)
                          asm volatile("" : : : "memory");
                      },
                      [this] { stop_ = true; }};
};

bare_thread look_at(bare_capturer& capturer, pid_t id) {
  bare_thread found;
  for (const os::numbered_thread& each : capturer.list().all)
    if (each.id == id) capturer.look(each, found);
  return found;
}

bare_thread ask(bare_capturer& capturer, pid_t id) {
  bare_thread found = look_at(capturer, id);
  capturer.ask(found, 0);
  capturer.wait(std::span{&found, 1}, std::chrono::steady_clock::now() + std::chrono::seconds{60});
  return found;
}

bool has_answered(const bare_thread& thread) {
  return thread.copy != nullptr &&
         (thread.outcome == capture_outcome::ok || thread.outcome == capture_outcome::truncated);
}

TEST(BareCapture, NobodyIsSentASignalThatHasAnotherHandler) {
  const spinning_thread spinner;
  const thread_capturer owner{{}};
  bare_capturer capturer{owner.signal(), reserved_room};
  EXPECT_TRUE(has_answered(ask(capturer, spinner.id())));
  const kernel_action ours = get_action(owner.signal());
  set_action(owner.signal(), {});  // would end this process
  const bare_thread found = ask(capturer, spinner.id());
  set_action(owner.signal(), ours);
  EXPECT_EQ(found.outcome, capture_outcome::not_signalled);
  EXPECT_EQ(std::string_view{found.note}, "no capture signal");
}

TEST(BareCapture, ThreadsAreKnownWhenTheProgramHasClosedWhatItDoesNotKnow) {
  test::in_child([] {
    bare_capturer capturer{-1, reserved_room};
    std::atomic<pid_t> id = 0;
    std::thread{[&] {
      id = gettid();
      for (;;)
        pause();
    }}.detach();
    wait_until([&] { return id != 0; });
    for (int number = 3; number < 100; ++number)
      close(number);
    for (int number = 3; number < 20; ++number)
      EXPECT_EQ(open("/dev/null", O_RDONLY | O_CLOEXEC), number);
    EXPECT_GE(capturer.list().all.size(), 2U);  // a sanitizer has threads, too
    wait_until([&] { return look_at(capturer, id).syscall.has_value(); });
    const bare_thread found = look_at(capturer, id);
    EXPECT_EQ(found.outcome, capture_outcome::ok);
    EXPECT_EQ(found.status.state, 'S');
  });
}

TEST(BareCapture, WhyThreadsCantBeListed) {
  test::in_child([] {
    bare_capturer capturer{-1, reserved_room};
    test::refuse_call(SYS_getdents64, EACCES);
    const bare_threads found = capturer.list();
    EXPECT_TRUE(found.all.empty());
    EXPECT_EQ(found.error, EACCES);
  });
}

// The handler has no number of a slot then.
TEST(BareCapture, AThreadAnswersASignalWithoutAPayload) {
  test::in_child([] {
    const thread_capturer owner{{}};
    bare_capturer capturer{owner.signal(), reserved_room};
    const spinning_thread spinner;
    test::refuse_call(SYS_rt_tgsigqueueinfo, EPERM);
    EXPECT_TRUE(has_answered(ask(capturer, spinner.id())));
  });
}

// All slots for the first question have a signal under way to that thread.
void use_up_slots(pid_t thread) {
  for (std::size_t number = 0; number + 1 < raw_slots; number += bare_capturer::most_at_once) {
    const auto slot = static_cast<std::uint32_t>(first_raw_slot + number);
    slot_pool::arm(slot, thread);
    EXPECT_TRUE(slot_pool::revoke(slot));
  }
}

TEST(BareCapture, SlotsOfThreadsThatHaveEndedAreUsedAgain) {
  const spinning_thread spinner;
  const thread_capturer owner{{}};
  bare_capturer capturer{owner.signal(), reserved_room};
  pid_t ended = 0;
  {
    test_thread silent{[] {}};
    ended = silent.id();
    use_up_slots(gettid());
  }
  const bare_thread refused = ask(capturer, spinner.id());
  EXPECT_EQ(refused.outcome, capture_outcome::not_signalled);
  EXPECT_EQ(std::string_view{refused.note}, "too many threads have not answered yet");
  wait_until([&] { return !os::thread_exists(ended); });
  use_up_slots(ended);
  EXPECT_TRUE(has_answered(ask(capturer, spinner.id())));
}

}  // namespace
}  // namespace gmr::capture
