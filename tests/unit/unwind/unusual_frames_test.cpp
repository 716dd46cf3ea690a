// Frames that no compiler makes: hand-written code with few rules or none.
#include <gtest/gtest.h>
#include <ucontext.h>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "os/memory.hpp"
#include "os/modules.hpp"
#include "parked_thread.hpp"
#include "unwind/return_address.hpp"
#include "unwind/unwinder.hpp"

#if defined(__x86_64__)

using park_through = void (*)(void (*)(void*), void*);

extern "C" {
void gmr_test_frame_pointer_only(void (*)(void*), void*);
void gmr_test_nothing_known(void (*)(void*), void*);
void gmr_test_rbx_unmentioned(void (*)(void*), void*);
void gmr_test_rbx_is_base(void (*)(void*), void*);
void gmr_test_return_in_register(void (*)(void*), void*);
}

asm(R"(
  .text
  .type gmr_test_frame_pointer_only, @function
gmr_test_frame_pointer_only:
  push %rbp
  mov %rsp, %rbp
  mov %rdi, %rax
  mov %rsi, %rdi
  call *%rax
  pop %rbp
  ret
  .size gmr_test_frame_pointer_only, .-gmr_test_frame_pointer_only

  .type gmr_test_nothing_known, @function
gmr_test_nothing_known:
  push %rbp
  xor %ebp, %ebp
  mov %rdi, %rax
  mov %rsi, %rdi
  call *%rax
  pop %rbp
  ret
  .size gmr_test_nothing_known, .-gmr_test_nothing_known

  .type gmr_test_rbx_unmentioned, @function
gmr_test_rbx_unmentioned:
  .cfi_startproc
  sub $8, %rsp
  .cfi_adjust_cfa_offset 8
  mov %rdi, %rax
  mov %rsi, %rdi
  call *%rax
  add $8, %rsp
  .cfi_adjust_cfa_offset -8
  ret
  .cfi_endproc
  .size gmr_test_rbx_unmentioned, .-gmr_test_rbx_unmentioned

  .type gmr_test_rbx_is_base, @function
gmr_test_rbx_is_base:
  .cfi_startproc
  push %rbx
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset rbx, 0
  mov %rsp, %rbx
  .cfi_def_cfa_register rbx
  sub $64, %rsp
  call gmr_test_rbx_unmentioned
  mov %rbx, %rsp
  .cfi_def_cfa_register rsp
  pop %rbx
  .cfi_adjust_cfa_offset -8
  .cfi_restore rbx
  ret
  .cfi_endproc
  .size gmr_test_rbx_is_base, .-gmr_test_rbx_is_base

  .type gmr_test_return_in_register, @function
gmr_test_return_in_register:
  .cfi_startproc
  pop %rdi
  .cfi_adjust_cfa_offset -8
  .cfi_register rip, rdi
  nop
  jmp *%rdi
  .cfi_endproc
  .size gmr_test_return_in_register, .-gmr_test_return_in_register
)");

namespace {

using gmr::test::parked_thread;
using gmr::unwind::raw_frame;
using gmr::unwind::raw_stack;

[[gnu::noinline]] void park(void* thread) {
  static_cast<parked_thread*>(thread)->park();
  asm volatile("" ::: "memory");
}

raw_stack walk(const parked_thread& thread) {
  const auto taken = thread.take();
  gmr::unwind::unwinder unwind{gmr::os::read_modules()};
  raw_stack result;
  unwind.unwind(taken.snapshot, result);
  return result;
}

raw_stack walk_through(park_through code) {
  const parked_thread thread([code](parked_thread& self) {
    code(&park, &self);
    asm volatile("" ::: "memory");
  });
  return walk(thread);
}

bool is_in(const raw_frame& frame, park_through code) {
  const auto begin = reinterpret_cast<std::uintptr_t>(code);
  return frame.pc > begin && frame.pc < begin + 64;
}

TEST(UnusualFrames, WithoutRulesTheFramePointerLeadsOnAndThatIsSaid) {
  const raw_stack stack = walk_through(&gmr_test_frame_pointer_only);
  ASSERT_GT(stack.frames.size(), 4U) << stack.note;
  EXPECT_TRUE(is_in(stack.frames[2], &gmr_test_frame_pointer_only));
  EXPECT_FALSE(stack.truncated) << stack.note;
  EXPECT_FALSE(stack.exact);
  EXPECT_TRUE(stack.note.starts_with("no unwind information for 0x")) << stack.note;
  EXPECT_TRUE(stack.note.ends_with("followed its frame pointer")) << stack.note;
}

TEST(UnusualFrames, WithoutRulesAndFramePointerTheStackEndsAndThatIsSaid) {
  const raw_stack stack = walk_through(&gmr_test_nothing_known);
  ASSERT_EQ(stack.frames.size(), 3U) << stack.note;
  EXPECT_TRUE(is_in(stack.frames[2], &gmr_test_nothing_known));
  EXPECT_TRUE(stack.truncated);
  EXPECT_TRUE(stack.note.starts_with("no unwind information for 0x")) << stack.note;
}

TEST(UnusualFrames, ARegisterThatRulesDoNotMentionIsKept) {
  const raw_stack stack = walk_through(&gmr_test_rbx_is_base);
  ASSERT_GT(stack.frames.size(), 5U) << stack.note;
  EXPECT_TRUE(is_in(stack.frames[2], &gmr_test_rbx_unmentioned));
  EXPECT_TRUE(is_in(stack.frames[3], &gmr_test_rbx_is_base));
  EXPECT_FALSE(stack.truncated) << stack.note;
  EXPECT_TRUE(stack.exact);
}

// As vfork() does, whose child must not overwrite it. Where only pc and sp are known, that is what
// the note says.
TEST(UnusualFrames, AReturnAddressInARegisterThatIsNotKnownEndsTheStack) {
  std::array<std::uintptr_t, 8> words{};
  gmr::capture::stack_snapshot snapshot;
  snapshot.full_registers = false;
  snapshot.only_pc_and_sp = true;
  auto& values = snapshot.registers.values;
  values[gmr::capture::pc_register] =
      reinterpret_cast<std::uintptr_t>(&gmr_test_return_in_register) + 1;
  values[gmr::capture::sp_register] = reinterpret_cast<std::uintptr_t>(words.data());
  snapshot.parts[0] = {values[gmr::capture::sp_register], std::as_bytes(std::span{words})};
  gmr::unwind::unwinder unwind{gmr::os::read_modules()};
  raw_stack stack;
  unwind.unwind(snapshot, stack);
  EXPECT_EQ(stack.frames.size(), 1U);
  EXPECT_TRUE(stack.truncated);
  EXPECT_EQ(stack.note, "the next frame depends on a register that is not known");
}

struct context_pair {
  ucontext_t here{};
  ucontext_t there{};
  alignas(16) std::array<char, 65536> memory{};
  parked_thread* thread = nullptr;
};
context_pair* switching = nullptr;

// Parks on the other stack, then comes back.
void on_another_stack() {
  park(switching->thread);
  ::swapcontext(&switching->there, &switching->here);
}

TEST(UnusualFrames, AStackOfMakecontextEndsWhereItBegan) {
  context_pair contexts;
  switching = &contexts;
  const parked_thread thread([](parked_thread& self) {
    switching->thread = &self;
    ::getcontext(&switching->there);
    switching->there.uc_stack.ss_sp = switching->memory.data();
    switching->there.uc_stack.ss_size = switching->memory.size();
    switching->there.uc_link = nullptr;
    ::makecontext(&switching->there, &on_another_stack, 0);
    ::swapcontext(&switching->here, &switching->there);
  });
  auto taken = thread.take(1);
  const std::uintptr_t sp = taken.snapshot.registers.sp();
  const auto end =
      reinterpret_cast<std::uintptr_t>(contexts.memory.data()) + contexts.memory.size();
  taken.bytes.resize(end - sp);
  ASSERT_TRUE(gmr::os::read_memory(sp, taken.bytes));
  taken.snapshot.parts[0] = {sp, taken.bytes};
  gmr::unwind::unwinder unwind{gmr::os::read_modules()};
  raw_stack stack;
  unwind.unwind(taken.snapshot, stack);
  EXPECT_FALSE(stack.truncated) << stack.note;
  EXPECT_TRUE(stack.exact);
  // park(), its caller, the function, and glibc's first instruction for when that returns.
  ASSERT_EQ(stack.frames.size(), 4U) << stack.note;
  EXPECT_FALSE(stack.frames.back().is_return);
  EXPECT_EQ(stack.frames.back().pc, gmr::unwind::end_of_makecontext());
}

}  // namespace

#endif
