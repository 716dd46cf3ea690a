#include "parked_thread.hpp"

#include <execinfo.h>
#include <pthread.h>
#include <ucontext.h>

#include <algorithm>
#include <array>

#include "os/memory.hpp"

namespace gmr::test {
namespace {

// DWARF numbers to the kernel's.
capture::register_set from_context(const ucontext_t& context) {
  capture::register_set result;
#if defined(__x86_64__)
  constexpr std::array order{REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                             REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                             REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
  for (std::size_t i = 0; i < order.size(); ++i)
    result.values[i] = static_cast<std::uintptr_t>(context.uc_mcontext.gregs[order[i]]);
#else
  for (std::size_t i = 0; i < 31; ++i)
    result.values[i] = context.uc_mcontext.regs[i];
  result.values[capture::sp_register] = context.uc_mcontext.sp;
  result.values[capture::pc_register] = context.uc_mcontext.pc;
#endif
  return result;
}

std::uintptr_t end_of_own_stack() {
  pthread_attr_t attributes;
  void* low = nullptr;
  std::size_t size = 0;
  ::pthread_getattr_np(::pthread_self(), &attributes);
  ::pthread_attr_getstack(&attributes, &low, &size);
  ::pthread_attr_destroy(&attributes);
  return reinterpret_cast<std::uintptr_t>(low) + size;
}

}  // namespace

parked_thread::parked_thread(std::function<void(parked_thread&)> chain)
    : thread_([this, chain = std::move(chain)] {
        stack_end_ = end_of_own_stack();
        chain_begin_ = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
        backtrace_.resize(200);
        // Its first call loads a library, which a signal handler must not.
        ::backtrace(backtrace_.data(), 1);
        chain(*this);
      }) {
  parked_.acquire();
}

parked_thread::~parked_thread() {
  go_on_.release();
  thread_.join();
}

[[gnu::noinline]] void parked_thread::park() {
  const int depth = ::backtrace(backtrace_.data(), static_cast<int>(backtrace_.size()));
  backtrace_.resize(static_cast<std::size_t>(depth));
  return_slot_ = reinterpret_cast<std::uintptr_t>(__builtin_dwarf_cfa()) - sizeof(void*);
  ucontext_t context;
  ::getcontext(&context);
  registers_ = from_context(context);
  parked_.release();
  go_on_.acquire();
  // A call in tail position would replace this frame.
  asm volatile("" ::: "memory");
}

taken_stack parked_thread::take(std::size_t limit) const {
  taken_stack result;
  const std::uintptr_t sp = registers_.sp();
  result.bytes.resize(std::min<std::size_t>(stack_end_ - sp, limit));
  // Not memcpy: sanitizers would object to the other thread's red zones.
  if (!os::read_memory(sp, result.bytes)) result.bytes.clear();
  result.snapshot.registers = registers_;
  result.snapshot.truncated = result.bytes.size() < stack_end_ - sp;
  result.snapshot.parts[0] = {sp, result.bytes};
  return result;
}

}  // namespace gmr::test
