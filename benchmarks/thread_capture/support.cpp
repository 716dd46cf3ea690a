#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "gmr/trace/enroll.hpp"
#include "thread_capture.hpp"

namespace thread_capture {

namespace {

// Frames as ordinary code has them, until so much of the stack is in use.
[[gnu::noinline]] void descend(std::uintptr_t until, const std::function<void()>& there) {
  volatile char locals[96];
  locals[0] = 1;
  if (reinterpret_cast<std::uintptr_t>(&locals) <= until)
    there();
  else
    descend(until, there);
  asm volatile("" : : "r"(locals) : "memory");
}

_Unwind_Reason_Code take_frame(_Unwind_Context* context, void* argument) {
  auto& stack = *static_cast<walked*>(argument);
  if (stack.count == stack.frames.size()) return _URC_END_OF_STACK;
  stack.frames[stack.count++] = reinterpret_cast<void*>(_Unwind_GetIP(context));
  return _URC_NO_REASON;
}

std::array<walked, 2048> walks;
std::atomic<std::size_t> walks_done;

void walking_handler(int, siginfo_t* info, void*) {
  walk_here(walks[static_cast<std::size_t>(info->si_value.sival_int)]);
  walks_done.fetch_add(1, std::memory_order_release);
}

int walking_signal() {
  static const int number = [] {
    struct sigaction action{};
    action.sa_sigaction = walking_handler;
    action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
    sigaction(SIGRTMAX, &action, nullptr);
    return SIGRTMAX;
  }();
  return number;
}

}  // namespace

gmr::capture::thread_capture_settings without_watching() {
  gmr::capture::thread_capture_settings out;
  out.busy_window = std::chrono::milliseconds{0};
  return out;
}

void capture_all(gmr::capture::thread_capturer& capturer) {
  const std::vector<bool> exact(capturer.capture_first().size());
  while (capturer.capture_next(exact)) {
  }
}

void at_depth(std::size_t bytes, bool enrolled, const std::function<void()>& there) {
  std::thread{[&] {
    if (enrolled) gmr::enroll_this_thread();
    pthread_attr_t attributes;
    void* low = nullptr;
    std::size_t size = 0;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &low, &size);
    pthread_attr_destroy(&attributes);
    descend(reinterpret_cast<std::uintptr_t>(low) + size - bytes, there);
  }}.join();
}

void walk_here(walked& stack) {
  stack.count = 0;
  _Unwind_Backtrace(take_frame, &stack);
}

void walk_threads(const std::vector<pid_t>& threads) {
  walks_done = 0;
  for (std::size_t i = 0; i < threads.size(); ++i) {
    siginfo_t info{};
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_value.sival_int = static_cast<int>(i);
    syscall(SYS_rt_tgsigqueueinfo, getpid(), threads[i], walking_signal(), &info);
  }
  while (walks_done.load(std::memory_order_acquire) < threads.size())
    std::this_thread::yield();
}

}  // namespace thread_capture
