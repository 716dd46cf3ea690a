// Stacks that are alike are walked once: what comes of it must be what a fresh walk says, also for
// stacks that only look alike.
#include <alloca.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <vector>

#include "os/modules.hpp"
#include "parked_thread.hpp"
#include "unwind/unwinder.hpp"

namespace {

using gmr::test::parked_thread;
using gmr::test::taken_stack;
using gmr::unwind::raw_stack;
using gmr::unwind::unwinder;

#define NOT_A_TAIL_CALL asm volatile("" ::: "memory")

// As a fiber is captured: with the registers that a call preserves.
taken_stack take_as_fiber(const parked_thread& thread) {
  taken_stack taken = thread.take();
  taken.snapshot.full_registers = false;
  return taken;
}

raw_stack walk(unwinder& unwind, const taken_stack& taken) {
  raw_stack result;
  unwind.unwind(taken.snapshot, result);
  return result;
}

raw_stack walk_afresh(const taken_stack& taken) {
  unwinder fresh{gmr::os::read_modules()};
  return walk(fresh, taken);
}

void expect_same(const raw_stack& one, const raw_stack& other) {
  EXPECT_EQ(one.frames, other.frames);
  EXPECT_EQ(one.truncated, other.truncated);
  EXPECT_EQ(one.exact, other.exact);
  EXPECT_EQ(one.note, other.note);
}

// Two functions with frames of one size, in an order that `turns` says, bit by bit.
template <int Which>
[[gnu::noinline]] void descend(parked_thread& self, unsigned turns, int levels) {
  if (levels == 0)
    self.park();
  else if (turns % 2 == 0)
    descend<0>(self, turns / 2, levels - 1);
  else
    descend<1>(self, turns / 2, levels - 1);
  NOT_A_TAIL_CALL;
}

TEST(KnownPaths, GiveTheFramesOfAStackLikeIt) {
  const parked_thread one([](parked_thread& self) { descend<0>(self, 5, 6); });
  const parked_thread other([](parked_thread& self) { descend<0>(self, 5, 6); });
  unwinder unwind{gmr::os::read_modules()};
  const raw_stack first = walk(unwind, take_as_fiber(one));
  EXPECT_GT(first.frames.size(), 7U);
  EXPECT_TRUE(first.exact);
  EXPECT_FALSE(first.truncated);
  expect_same(walk(unwind, take_as_fiber(one)), first);
  const taken_stack likewise = take_as_fiber(other);
  expect_same(walk(unwind, likewise), walk_afresh(likewise));
}

TEST(KnownPaths, TellStacksOfOneSizeApart) {
  unwinder unwind{gmr::os::read_modules()};
  for (int pass = 0; pass < 2; ++pass)
    for (unsigned turns = 0; turns < 16; ++turns) {
      const parked_thread thread([&](parked_thread& self) { descend<0>(self, turns, 4); });
      const taken_stack taken = take_as_fiber(thread);
      expect_same(walk(unwind, taken), walk_afresh(taken));
    }
}

// Its frame is found by a register that the innermost frames have saved.
[[gnu::noinline]] void turns_below_dynamic_frame(parked_thread& self, std::size_t size) {
  auto* const memory = static_cast<volatile char*>(alloca(size));
  memory[0] = 1;
  memory[size - 1] = 1;
  descend<0>(self, 1, 2);
  memory[0] = 2;
}

TEST(KnownPaths, FollowFramesOfDynamicSize) {
  unwinder unwind{gmr::os::read_modules()};
  for (int pass = 0; pass < 2; ++pass)
    for (const std::size_t size : {std::size_t{100}, std::size_t{1000}, std::size_t{4000}}) {
      const parked_thread thread(
          [&](parked_thread& self) { turns_below_dynamic_frame(self, size); });
      const taken_stack taken = take_as_fiber(thread);
      const raw_stack result = walk(unwind, taken);
      EXPECT_TRUE(result.exact);
      EXPECT_FALSE(result.truncated);
      expect_same(result, walk_afresh(taken));
    }
}

// Every word, one after the other: where the walk depends on it, it must not go the known way.
TEST(KnownPaths, NoticeEveryWordThatMatters) {
  const parked_thread thread([](parked_thread& self) { turns_below_dynamic_frame(self, 64); });
  const taken_stack intact = take_as_fiber(thread);
  unwinder unwind{gmr::os::read_modules()};
  const raw_stack first = walk(unwind, intact);
  int noticed = 0;
  // All frames stand in these; sanitizers keep hundreds of kilobytes of their own further out.
  const std::size_t size = std::min(intact.bytes.size(), std::size_t{4096});
  for (std::size_t at = 0; at + sizeof(std::uintptr_t) <= size; at += sizeof(std::uintptr_t)) {
    taken_stack changed = take_as_fiber(thread);
    std::uintptr_t word = 0;
    std::memcpy(&word, changed.bytes.data() + at, sizeof word);
    word ^= 0x10;
    std::memcpy(changed.bytes.data() + at, &word, sizeof word);
    const raw_stack result = walk(unwind, changed);
    expect_same(result, walk_afresh(changed));
    if (result.frames != first.frames) ++noticed;
  }
  EXPECT_GE(noticed, static_cast<int>(first.frames.size()) - 1);
}

TEST(KnownPaths, NoticeRegistersThatMatter) {
  unwinder unwind{gmr::os::read_modules()};
  const parked_thread thread([](parked_thread& self) { turns_below_dynamic_frame(self, 64); });
  walk(unwind, take_as_fiber(thread));
  for (unsigned number = 0; number < gmr::capture::register_count; ++number) {
    taken_stack changed = take_as_fiber(thread);
    changed.snapshot.registers.values[number] ^= 0x10;
    expect_same(walk(unwind, changed), walk_afresh(changed));
  }
}

}  // namespace
