// What the handler takes of a thread's time, and the same with unwinding in it.
#include <benchmark/benchmark.h>
#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

#include "capture/capture_handler.hpp"
#include "capture/slot_pool.hpp"
#include "thread_capture.hpp"

namespace thread_capture {

namespace {

using gmr::capture::slot_pool;
using gmr::capture::thread_capturer;

// The body of the handler, called without a signal.
void handler_copies(benchmark::State& state, bool enrolled) {
  const thread_capturer owner{without_watching()};  // makes the handler know its process
  slot_pool& pool = slot_pool::instance();
  const std::uint32_t slot = *pool.acquire(65536 + 16384);
  at_depth(static_cast<std::size_t>(state.range(0)), enrolled, [&] {
    ucontext_t context{};  // no alternate stack: getcontext() leaves that as it was
    getcontext(&context);
    siginfo_t info{};
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    for ([[maybe_unused]] auto _ : state) {
      info.si_value.sival_ptr = reinterpret_cast<void*>(pool.arm(slot));
      gmr::capture::capture_handler(0, &info, &context);
    }
  });
  const auto& parts = pool.at(slot).parts;
  state.counters["copied_bytes"] = static_cast<double>(parts[0].size + parts[1].size);
  pool.release(slot);
}

void handler_copy(benchmark::State& state) {
  handler_copies(state, true);
}
void handler_copy_unenrolled(benchmark::State& state) {
  handler_copies(state, false);
}

void handler_unwind_peer(benchmark::State& state) {
  static walked stack;
  at_depth(static_cast<std::size_t>(state.range(0)), true, [&] {
    for ([[maybe_unused]] auto _ : state)
      walk_here(stack);
  });
  state.counters["frames"] = static_cast<double>(stack.count);
}

BENCHMARK(handler_copy)->Arg(4096)->Arg(16384)->Arg(65536);
BENCHMARK(handler_copy_unenrolled)->Arg(4096)->Arg(16384)->Arg(65536);
BENCHMARK(handler_unwind_peer)->Arg(4096)->Arg(16384)->Arg(65536);

}  // namespace

}  // namespace thread_capture
