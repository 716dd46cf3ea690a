#include "unwind/unwinder.hpp"

#include <alloca.h>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "os/modules.hpp"
#include "parked_thread.hpp"
#include "unwind/return_address.hpp"

namespace {

using gmr::test::parked_thread;
using gmr::test::taken_stack;
using gmr::unwind::raw_stack;
using gmr::unwind::unwinder;

#define NOT_A_TAIL_CALL asm volatile("" ::: "memory")

raw_stack walk(const taken_stack& taken) {
  unwinder unwind{gmr::os::read_modules()};
  raw_stack result;
  unwind.unwind(taken.snapshot, result);
  return result;
}

// glibc's own walker, on the same thread, from the caller of park() on.
void expect_like_backtrace(const parked_thread& thread, const raw_stack& stack) {
  EXPECT_EQ(stack.note, "");
  EXPECT_FALSE(stack.truncated);
  EXPECT_TRUE(stack.exact);
  std::vector<void*> expected = thread.backtrace();
  // Sanitizers' interceptors put a frame of their own first.
  ASSERT_GT(stack.frames.size(), 2U);
  std::vector<void*> seen;
  for (const auto& frame : stack.frames)
    seen.push_back(reinterpret_cast<void*>(frame.pc));
  const auto caller = std::find(expected.begin(), expected.end(), seen[1]);
  ASSERT_NE(caller, expected.end());
  EXPECT_EQ(std::vector<void*>(caller, expected.end()),
            std::vector<void*>(seen.begin() + 1, seen.end()));
}

[[gnu::noinline]] int recursion(parked_thread& self, int depth) {
  if (depth == 0) {
    self.park();
  } else {
    recursion(self, depth - 1);
  }
  NOT_A_TAIL_CALL;
  return depth;
}

TEST(Unwinder, AgreesWithBacktrace) {
  const parked_thread thread([](parked_thread& self) { recursion(self, 20); });
  expect_like_backtrace(thread, walk(thread.take()));
}

[[gnu::noinline]] void dynamic_frame(parked_thread& self, std::size_t size) {
  auto* const memory = static_cast<volatile char*>(alloca(size));
  memory[0] = 1;
  memory[size - 1] = 1;
  recursion(self, 2);
  memory[0] = 2;
}

TEST(Unwinder, FollowsFramesOfDynamicSize) {
  const parked_thread thread([](parked_thread& self) { dynamic_frame(self, 1000); });
  expect_like_backtrace(thread, walk(thread.take()));
}

parked_thread* in_handler = nullptr;

[[gnu::noinline]] void handler(int) {
  in_handler->park();
  NOT_A_TAIL_CALL;
}

TEST(Unwinder, FollowsASignalFrameToWhatWasInterrupted) {
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = handler;
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  const parked_thread thread([](parked_thread& self) {
    in_handler = &self;
    ::raise(SIGUSR1);
    NOT_A_TAIL_CALL;
  });
  const raw_stack stack = walk(thread.take());
  expect_like_backtrace(thread, stack);
  // park, handler, the trampoline, and what was interrupted: the last two were not called.
  std::size_t interrupted = 0;
  for (const auto& frame : stack.frames)
    interrupted += frame.is_return ? 0 : 1;
  EXPECT_EQ(interrupted, 3U);
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST(Unwinder, FollowsCodeOfALibraryLoadedLater) {
  gmr::os::module_reader modules;
  unwinder unwind{modules.read()};
  raw_stack result;
  void* const library = ::dlopen(GMR_TEST_LIBRARY, RTLD_NOW);
  ASSERT_NE(library, nullptr) << ::dlerror();
  using function = int (*)(void (*)(void*), void*);
  const auto call = reinterpret_cast<function>(::dlsym(library, "gmr_test_call"));
  taken_stack taken;
  {
    const parked_thread thread([call](parked_thread& self) {
      call([](void* context) { recursion(*static_cast<parked_thread*>(context), 1); }, &self);
      NOT_A_TAIL_CALL;
    });
    taken = thread.take();
    unwind.use(modules.read());
    unwind.unwind(taken.snapshot, result);
    expect_like_backtrace(thread, result);
  }
  ::dlclose(library);
  if (::dlopen(GMR_TEST_LIBRARY, RTLD_NOW | RTLD_NOLOAD) != nullptr)
    GTEST_SKIP() << "the sanitizer keeps the library loaded";
  unwind.use(modules.read());
  unwind.unwind(taken.snapshot, result);
  EXPECT_TRUE(result.truncated);
  EXPECT_NE(result.note.find("which is no longer loaded"), std::string::npos) << result.note;
}

[[gnu::noinline]] void never_called() {
  NOT_A_TAIL_CALL;
}

// A library has gone and another has come to its place: its rules may lead to any word. One that
// looks like the end of a stack is none.
TEST(Unwinder, WhatALibraryReturnsToIsNoEndUnlessItIsCalled) {
  const auto unload = [](void* loaded) { ::dlclose(loaded); };
  const std::unique_ptr<void, decltype(unload)> library{::dlopen(GMR_TEST_LIBRARY, RTLD_NOW)};
  ASSERT_NE(library, nullptr) << ::dlerror();
  using function = int (*)(void (*)(void*), void*);
  const auto call = reinterpret_cast<function>(::dlsym(library.get(), "gmr_test_call"));
  const parked_thread thread([call](parked_thread& self) {
    call([](void* context) { recursion(*static_cast<parked_thread*>(context), 1); }, &self);
    NOT_A_TAIL_CALL;
  });
  taken_stack taken = thread.take();
  const raw_stack right = walk(taken);
  const auto begin = reinterpret_cast<std::uintptr_t>(call);
  const auto in_library =
      std::ranges::find_if(right.frames, [&](const auto& frame) { return frame.pc - begin < 512; });
  ASSERT_NE(in_library, right.frames.end());
  const std::uintptr_t caller = std::next(in_library)->pc;
  const std::uintptr_t wrong[] = {reinterpret_cast<std::uintptr_t>(&never_called), 0};
  ASSERT_FALSE(gmr::unwind::follows_call(wrong[0]));
  const auto word = std::as_bytes(std::span{&caller, 1});
  const auto slot = std::ranges::search(taken.bytes, word).begin();
  ASSERT_NE(slot, taken.bytes.end());
  std::ranges::copy(std::as_bytes(std::span{wrong}), slot);
  const raw_stack stack = walk(taken);
  EXPECT_TRUE(stack.truncated);
  EXPECT_EQ(stack.frames.size(),
            static_cast<std::size_t>(std::next(in_library) - right.frames.begin()));
}

TEST(Unwinder, ACopyThatEndsEarlyGivesTheInnermostFrames) {
  const parked_thread thread([](parked_thread& self) { recursion(self, 2000); });
  const raw_stack whole = walk(thread.take());
  const raw_stack part = walk(thread.take(4096));
  EXPECT_TRUE(part.truncated);
  EXPECT_NE(part.note, "");
  ASSERT_LT(part.frames.size(), whole.frames.size());
  ASSERT_GT(part.frames.size(), 2U);
  for (std::size_t i = 0; i < part.frames.size(); ++i)
    EXPECT_EQ(part.frames[i], whole.frames[i]);
}

TEST(Unwinder, GoesOnInTheOuterPart) {
  const parked_thread thread([](parked_thread& self) { recursion(self, 2000); });
  const raw_stack whole = walk(thread.take());
  taken_stack taken = thread.take();
  const std::span<const std::byte> all{taken.bytes};
  const std::uintptr_t sp = taken.snapshot.registers.sp();
  // The outermost calls of recursion() and what lies outside of them.
  const std::size_t outer = (thread.chain_begin() - sp - 2048) / 8 * 8;
  taken.snapshot.truncated = true;
  taken.snapshot.parts[0] = {sp, all.first(outer / 2 / 8 * 8)};
  taken.snapshot.parts[1] = {sp + outer, all.subspan(outer)};
  const raw_stack part = walk(taken);
  EXPECT_TRUE(part.truncated);
  EXPECT_NE(part.note.find("not copied"), std::string::npos) << part.note;
  ASSERT_GT(part.resumed_at, 2U) << part.note << " after " << part.frames.size();
  ASSERT_GT(part.frames.size(), part.resumed_at + 2);
  for (std::size_t i = 0; i < part.frames.size() - part.resumed_at; ++i) {
    EXPECT_EQ(part.frames.rbegin()[static_cast<std::ptrdiff_t>(i)],
              whole.frames.rbegin()[static_cast<std::ptrdiff_t>(i)]);
  }
}

// As for a blocked thread that nobody could signal: sp and pc are all that is known.
TEST(Unwinder, StopsWhereARegisterIsMissing) {
  const parked_thread thread([](parked_thread& self) { dynamic_frame(self, 1000); });
  const raw_stack whole = walk(thread.take());
  taken_stack taken = thread.take();
  auto& registers = taken.snapshot.registers.values;
  for (unsigned number = 0; number < registers.size(); ++number) {
    if (number != gmr::capture::sp_register && number != gmr::capture::pc_register)
      registers[number] = 0;
  }
  taken.snapshot.full_registers = false;
  taken.snapshot.only_pc_and_sp = true;
  const raw_stack part = walk(taken);
  EXPECT_TRUE(part.exact);
  ASSERT_LT(part.frames.size(), whole.frames.size());
  for (std::size_t i = 0; i < part.frames.size(); ++i)
    EXPECT_EQ(part.frames[i].pc, whole.frames[i].pc);
  EXPECT_TRUE(part.truncated);
  EXPECT_NE(part.note.find("register"), std::string::npos) << part.note;
}

TEST(Unwinder, KeepsProgramCountersThatWereWalkedInTheThread) {
  taken_stack taken;
  taken.snapshot.walked = {1, 2, 3};
  const raw_stack stack = walk(taken);
  ASSERT_EQ(stack.frames.size(), 3U);
  EXPECT_EQ(stack.frames[0], (gmr::unwind::raw_frame{1, false}));
  EXPECT_EQ(stack.frames[2], (gmr::unwind::raw_frame{3, true}));
}

TEST(Unwinder, AnEmptySnapshotSaysSo) {
  const raw_stack stack = walk({});
  EXPECT_TRUE(stack.frames.empty());
  EXPECT_EQ(stack.note, "no stack was captured");
}

TEST(Unwinder, ACallThroughANullPointerShowsItsCaller) {
  const parked_thread thread([](parked_thread& self) { recursion(self, 3); });
  const raw_stack whole = walk(thread.take());
  taken_stack taken = thread.take();
  // As after `call 0` in recursion(): its return address is on top of the stack.
  const std::size_t at = thread.return_slot() - taken.snapshot.registers.sp();
  const std::uintptr_t sp = taken.snapshot.registers.sp() + at;
  taken.snapshot.registers.values[gmr::capture::pc_register] = 0;
  taken.snapshot.registers.values[gmr::capture::sp_register] = sp;
  // Where the build uses frame pointers, park() began by saving its caller's there.
  std::memcpy(&taken.snapshot.registers.values[gmr::capture::frame_register],
              taken.bytes.data() + at - 8, 8);
  taken.snapshot.parts[0] = {sp, std::span<const std::byte>{taken.bytes}.subspan(at)};
  const raw_stack stack = walk(taken);
  EXPECT_FALSE(stack.exact);
  ASSERT_GE(stack.frames.size(), 3U) << stack.note;
  EXPECT_EQ(stack.frames[0].pc, 0U);
  EXPECT_EQ(stack.frames[1].pc, whole.frames[1].pc);
  EXPECT_EQ(stack.frames[2].pc, whole.frames[2].pc);
}

}  // namespace
