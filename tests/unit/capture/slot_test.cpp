// A slot is used for one thread after the other: nothing of an earlier one may be left in it.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "capture/slot_pool.hpp"
#include "capture/thread_capturer.hpp"
#include "signal_frame.hpp"
#include "support/in_child.hpp"
#include "test_threads.hpp"

namespace gmr::capture {
namespace {

using testing::capture_all;
using testing::find;
using testing::test_thread;

TEST(Slot, IsEmptyWhenItIsUsedAgain) {
  slot_pool& pool = slot_pool::instance();
  const auto first = pool.acquire(4096);
  ASSERT_TRUE(first);
  auto& result = static_cast<slot_result&>(pool.at(*first));
  std::ranges::fill(result.registers, std::uintptr_t{7});
  result.parts[0] = result.parts[1] = {1, 2, 3};
  result.truncated = result.unreadable = result.no_room = result.walk_broke_off = true;
  result.runs = 7;
  result.walked = 7;
  pool.release(*first);
  const auto again = pool.acquire(4096);
  ASSERT_EQ(again, first);
  const slot_result& empty = pool.at(*again);
  EXPECT_THAT(empty.registers, ::testing::Each(0U));
  EXPECT_EQ(empty.parts[1].size, 0U);
  EXPECT_FALSE(empty.truncated || empty.unreadable || empty.no_room || empty.walk_broke_off);
  EXPECT_EQ(empty.runs, 0U);
  EXPECT_EQ(empty.walked, 0U);
  pool.release(*again);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // their threads have their own
// An alternate stack on which the kernel's frame fits, and little more.
void take_small_alternate_stack() {
  const std::size_t size = testing::tight_alternate_stack(1024);
  stack_t alternate{};
  alternate.ss_sp = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  alternate.ss_size = size;
  ASSERT_EQ(sigaltstack(&alternate, nullptr), 0);
}

TEST(Slot, OfAThreadWithoutRoomSaysNothingOfTheNextOne) {
  test::in_child([] {
    {
      std::atomic<bool> ready = false;
      std::atomic<bool> stop = false;
      const test_thread spinning{[&] {
                                   take_small_alternate_stack();
                                   ready = true;
                                   while (!stop) {
                                   }
                                 },
                                 [&] { stop = true; }};
      testing::wait_until([&] { return ready.load(); });
      thread_capturer first{{}};
      const auto* const cramped = find(capture_all(first), spinning.id());
      ASSERT_NE(cramped, nullptr);
      ASSERT_THAT(cramped->note, ::testing::HasSubstr("too little of its alternate stack"));
    }
    thread_capturer second{{}};
    const auto* const own = find(capture_all(second), gettid());
    ASSERT_NE(own, nullptr);
    EXPECT_EQ(own->outcome, capture_outcome::ok) << own->note;
  });
}
#endif

}  // namespace
}  // namespace gmr::capture
