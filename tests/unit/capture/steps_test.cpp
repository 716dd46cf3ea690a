// A capture goes on step by step: whoever unwinds stacks says which are exact, and only the others
// are asked for by signal.
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <memory>
#include <vector>

#include "backend.hpp"
#include "capture/thread_capturer.hpp"
#include "test_threads.hpp"

namespace gmr::capture {
namespace {

using testing::capture_all;
using testing::find;
using testing::holds;
using testing::pipe_ends;
using testing::test_thread;
using testing::wait_until;
using testing::with_marker;

constexpr std::uint64_t first_marker = 0x5ca1ab1e0ddba11;
constexpr std::uint64_t second_marker = 0x7654321076543210;

void read_from(pipe_ends& pipe) {
  char byte = 0;
  EXPECT_EQ(read(pipe.ends[0], &byte, 1), 1);
}

// A thread that reads from one pipe and then from another.
class Steps : public ::testing::Test {
 protected:
  Steps() { reader_.wait_blocked_in(SYS_read); }

  [[nodiscard]] const thread_snapshot& reader(const std::vector<thread_snapshot>& threads) const {
    return *find(threads, reader_.id());
  }
  [[nodiscard]] std::vector<bool> all(const std::vector<thread_snapshot>& threads, bool exact) {
    return std::vector<bool>(threads.size(), exact);
  }
  void move_on() {
    first_.write_byte();
    wait_until([&] {
      const auto blocked = os::task_files{}.blocked_in(reader_.id());
      return blocked && blocked->arguments[0] == static_cast<std::uint64_t>(second_.ends[0]);
    });
  }

  pipe_ends first_;
  pipe_ends second_;
  test_thread reader_{[&] {
                        with_marker(first_marker, [&] { read_from(first_); });
                        with_marker(second_marker, [&] { read_from(second_); });
                      },
                      [&] {
                        first_.write_byte();
                        second_.write_byte();
                      }};
  thread_capturer capturer_{{}};
};

TEST_F(Steps, AStackThatIsExactIsNewOnceAndNotAskedFor) {
  const auto& threads = capturer_.capture_first();
  EXPECT_TRUE(reader(threads).is_new);
  EXPECT_TRUE(reader(threads).stack.only_pc_and_sp);
  EXPECT_TRUE(holds(reader(threads).stack, first_marker));
  while (capturer_.capture_next(all(threads, true)))
    EXPECT_FALSE(reader(threads).is_new);
  EXPECT_EQ(reader(threads).outcome, capture_outcome::ok);
  EXPECT_TRUE(reader(threads).stack.only_pc_and_sp);
}

TEST_F(Steps, OneThatIsNotIsAskedForAndNewAgain) {
  const auto& threads = capturer_.capture_first();
  ASSERT_TRUE(capturer_.capture_next(all(threads, false)));
  EXPECT_TRUE(reader(threads).is_new);
  EXPECT_EQ(reader(threads).outcome, capture_outcome::ok);
  EXPECT_TRUE(reader(threads).stack.full_registers);
  EXPECT_FALSE(capturer_.capture_next(all(threads, false)));
  EXPECT_FALSE(reader(threads).is_new);
}

// A signal where it is now could have it see EINTR although its stack is exact there.
TEST_F(Steps, AThreadThatHasRunSinceIsLookedAtAgainBeforeItIsAsked) {
  const auto& threads = capturer_.capture_first();
  EXPECT_TRUE(holds(reader(threads).stack, first_marker));
  move_on();
  ASSERT_TRUE(capturer_.capture_next(all(threads, false)));
  EXPECT_TRUE(reader(threads).is_new);
  EXPECT_TRUE(reader(threads).stack.only_pc_and_sp);
  EXPECT_TRUE(holds(reader(threads).stack, second_marker));
  while (capturer_.capture_next(all(threads, true))) {
  }
  EXPECT_EQ(reader(threads).outcome, capture_outcome::ok);
  EXPECT_TRUE(reader(threads).stack.only_pc_and_sp);
}

TEST_F(Steps, WithoutAnAnswerNoStackIsExact) {
  static_cast<void>(capturer_.capture_first());
  ASSERT_TRUE(capturer_.capture_next({}));
  EXPECT_TRUE(reader(capture_all(capturer_)).stack.full_registers);
}

// As when there is no memory to unwind with.
TEST_F(Steps, ACaptureThatWasNeverCompleteHarmsNoOther) {
  std::atomic<bool> stop = false;
  test_thread spinner{[&] {
                        while (!stop)
                          std::this_thread::yield();
                      },
                      [&] { stop = true; }};
  for (int i = 0; i < 20; ++i) {
    static_cast<void>(capturer_.capture_first());  // asks the spinner
    const auto& threads = capture_all(capturer_);
    EXPECT_EQ(find(threads, spinner.id())->outcome, capture_outcome::ok);
    EXPECT_EQ(reader(threads).outcome, capture_outcome::ok);
    static_cast<void>(capturer_.capture_first());
  }
}

// More than are looked at at once.
TEST(ManySteps, EveryThreadIsLookedAt) {
  constexpr std::size_t count = 300;
  pipe_ends pipe;
  std::vector<std::unique_ptr<test_thread>> readers;
  for (std::size_t i = 0; i < count; ++i)
    readers.push_back(std::make_unique<test_thread>([&] { read_from(pipe); }));
  for (const auto& each : readers)
    each->wait_blocked_in(SYS_read);
  thread_capturer capturer{{}};
  for (int i = 0; i < 2; ++i) {
    int asked = 0;
    const auto& threads = capture_all(capturer, [&](const stack_snapshot&) {
      ++asked;
      return true;
    });
    for (const auto& each : readers) {
      const thread_snapshot* const found = find(threads, each->id());
      EXPECT_TRUE(found != nullptr && found->outcome == capture_outcome::ok);
      EXPECT_TRUE(found != nullptr && found->stack.only_pc_and_sp);
      EXPECT_TRUE(found != nullptr && found->is_unchanged == (i > 0));
    }
    EXPECT_EQ(asked >= static_cast<int>(count), i == 0);
  }
  for (std::size_t i = 0; i < count; ++i)
    pipe.write_byte();
}

bool is_in_memory(const std::byte* at) {
  const auto page = reinterpret_cast<std::uintptr_t>(at) / 4096 * 4096;
  unsigned char resident = 0;
  EXPECT_EQ(mincore(reinterpret_cast<void*>(page), 4096, &resident), 0);
  return (resident & 1U) != 0;
}

TEST_F(Steps, AtRestOnlyWhatTheNextCaptureNeedsStaysInMemory) {
  if (testing::threads_walk) GTEST_SKIP() << "threads walk, there are no copies";
  const auto is_exact = [](const stack_snapshot& stack) { return holds(stack, first_marker); };
  const auto& threads = capture_all(capturer_, is_exact);
  const std::byte* const kept = reader(threads).stack.parts[0].bytes.data();
  const std::byte* const own = find(threads, gettid())->stack.parts[0].bytes.data();
  EXPECT_TRUE(is_in_memory(own));
  capturer_.rest();
  EXPECT_FALSE(is_in_memory(own));
  EXPECT_TRUE(is_in_memory(kept));
  const auto& again = capture_all(capturer_, is_exact);
  EXPECT_TRUE(reader(again).is_unchanged);
  EXPECT_TRUE(holds(reader(again).stack, first_marker));
  EXPECT_EQ(find(again, gettid())->outcome, capture_outcome::ok);
}

}  // namespace
}  // namespace gmr::capture
