// What a frame costs to unwind and to name: warm, as in every report but the first, and cold.
#include <benchmark/benchmark.h>

#include "os/modules.hpp"
#include "parked_thread.hpp"
#include "symbolize/symbolizer.hpp"
#include "unwind/unwinder.hpp"

namespace {

using gmr::test::parked_thread;

// Two functions in turn, with callee-saved registers to restore, as in ordinary programs.
[[gnu::noinline]] int odd(parked_thread& self, int depth, int a, int b);

[[gnu::noinline]] int even(parked_thread& self, int depth, int a, int b) {
  if (depth == 0) {
    self.park();
    return a;
  }
  return odd(self, depth - 1, b, a + depth) + a * b;
}

int odd(parked_thread& self, int depth, int a, int b) {
  return even(self, depth - 1, b + depth, a) + a - b;
}

struct walked final {
  explicit walked(int depth)
      : thread([depth](parked_thread& self) { benchmark::DoNotOptimize(even(self, depth, 1, 2)); }),
        taken(thread.take()) {}

  parked_thread thread;
  gmr::test::taken_stack taken;
};

void unwind_warm(benchmark::State& state) {
  const walked stack{static_cast<int>(state.range(0))};
  gmr::unwind::unwinder unwinder{gmr::os::read_modules()};
  gmr::unwind::raw_stack raw;
  unwinder.unwind(stack.taken.snapshot, raw);
  for (auto _ : state)
    unwinder.unwind(stack.taken.snapshot, raw);
  state.counters["per_frame"] = benchmark::Counter(
      static_cast<double>(raw.frames.size()),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(unwind_warm)->Arg(10)->Arg(100);

void unwind_cold(benchmark::State& state) {
  const walked stack{10};
  gmr::unwind::raw_stack raw;
  for (auto _ : state) {
    gmr::unwind::unwinder unwinder{gmr::os::read_modules()};
    unwinder.unwind(stack.taken.snapshot, raw);
  }
}
BENCHMARK(unwind_cold)->Unit(benchmark::kMicrosecond);

void refresh_modules(benchmark::State& state) {
  gmr::os::module_reader reader;
  for (auto _ : state)
    benchmark::DoNotOptimize(reader.read());
}
BENCHMARK(refresh_modules)->Unit(benchmark::kMicrosecond);

void symbolize_known(benchmark::State& state) {
  const walked stack{100};
  gmr::unwind::unwinder unwinder{gmr::os::read_modules()};
  gmr::unwind::raw_stack raw;
  unwinder.unwind(stack.taken.snapshot, raw);
  gmr::symbolize::symbolizer names{gmr::os::read_modules()};
  benchmark::DoNotOptimize(names.resolve(raw));
  for (auto _ : state)
    benchmark::DoNotOptimize(names.resolve(raw));
  state.counters["per_address"] = benchmark::Counter(
      static_cast<double>(raw.frames.size()),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(symbolize_known);

void symbolize_first(benchmark::State& state) {
  const walked stack{10};
  gmr::unwind::unwinder unwinder{gmr::os::read_modules()};
  gmr::unwind::raw_stack raw;
  unwinder.unwind(stack.taken.snapshot, raw);
  for (auto _ : state) {
    gmr::symbolize::symbolizer names{gmr::os::read_modules()};
    benchmark::DoNotOptimize(names.resolve(raw));
  }
}
BENCHMARK(symbolize_first)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
