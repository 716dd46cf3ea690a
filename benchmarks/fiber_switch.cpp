// The cost of fibers; built twice, with gmr::trace and without. Compare runs side by side:
//   fiber_switch_plain; fiber_switch_traced    (--benchmark_repetitions=10)
#include <benchmark/benchmark.h>

#include <boost/context/fiber.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>
#include <cstddef>
#include <vector>

namespace context = boost::context;

namespace {

context::fiber make_endless(context::pooled_fixedsize_stack& stacks) {
  return {std::allocator_arg, stacks, [](context::fiber&& caller) {
            for (;;)
              caller = std::move(caller).resume();
            return std::move(caller);
          }};
}

// There and back: two switches.
void round_trip(benchmark::State& state) {
  context::pooled_fixedsize_stack stacks{16 * 1024};
  context::fiber fiber = make_endless(stacks);
  for (auto _ : state)
    fiber = std::move(fiber).resume();
}
BENCHMARK(round_trip);

// The same over so many fibers that stacks and records are not in the caches.
void round_trip_over_many(benchmark::State& state) {
  context::pooled_fixedsize_stack stacks{16 * 1024};
  std::vector<context::fiber> fibers;
  for (std::int64_t i = 0; i < state.range(0); ++i)
    fibers.push_back(make_endless(stacks));
  std::size_t next = 0;
  for (auto _ : state) {
    fibers[next] = std::move(fibers[next]).resume();
    next = (next + 7919) % fibers.size();
  }
}
BENCHMARK(round_trip_over_many)->Arg(1000)->Arg(20000);

// There and back with a function on top of the fiber.
void round_trip_on_top(benchmark::State& state) {
  context::pooled_fixedsize_stack stacks{16 * 1024};
  context::fiber fiber = make_endless(stacks);
  for (auto _ : state)
    fiber = std::move(fiber).resume_with([](context::fiber&& from) { return std::move(from); });
}
BENCHMARK(round_trip_on_top);

// A fiber that is made and runs to its end: no less than two switches.
void make_and_end(benchmark::State& state) {
  context::pooled_fixedsize_stack stacks{16 * 1024};
  for (auto _ : state) {
    context::fiber fiber{std::allocator_arg, stacks,
                         [](context::fiber&& caller) { return std::move(caller); }};
    fiber = std::move(fiber).resume();
  }
}
BENCHMARK(make_and_end);

}  // namespace
