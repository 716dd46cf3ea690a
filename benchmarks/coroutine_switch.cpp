// What tracing costs a coroutine. Built three times: coroutine_switch_plain, _traced and
// _trace_ops; compare them, run side by side.
#include <benchmark/benchmark.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <deque>

#include "gmr/trace/scheduler.hpp"
#include "hook/schedulers.hpp"

namespace {

namespace asio = boost::asio;
constexpr int per_run = 1000;

template <typename Coroutine>
void run(benchmark::State& state, Coroutine coroutine) {
  asio::io_context io{1};
  for ([[maybe_unused]] auto _ : state) {
    asio::co_spawn(io, coroutine(), asio::detached);
    io.restart();
    io.run();
  }
  state.SetItemsProcessed(state.iterations() * per_run);
}

asio::awaitable<void> suspend_deferred() {
  for (int i = 0; i < per_run; ++i)
    co_await asio::post(co_await asio::this_coro::executor, asio::deferred);
}

asio::awaitable<void> suspend_use_awaitable() {
  for (int i = 0; i < per_run; ++i)
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

asio::awaitable<int> child(int i) {
  co_return i;
}

asio::awaitable<void> call_child() {
  int sum = 0;
  for (int i = 0; i < per_run; ++i)
    sum += co_await child(i);
  benchmark::DoNotOptimize(sum);
}

// Two coroutines that pass a byte to and fro: what an operation on a socket costs.
asio::awaitable<void> pass_on(asio::local::stream_protocol::socket& socket, bool begins) {
  char byte = 0;
  for (int i = 0; i < per_run; ++i) {
    if (begins) co_await socket.async_write_some(asio::buffer(&byte, 1), asio::deferred);
    co_await socket.async_read_some(asio::buffer(&byte, 1), asio::deferred);
    if (!begins) co_await socket.async_write_some(asio::buffer(&byte, 1), asio::deferred);
  }
}

void pass_byte(benchmark::State& state) {
  asio::io_context io{1};
  asio::local::stream_protocol::socket one{io};
  asio::local::stream_protocol::socket other{io};
  asio::local::connect_pair(one, other);
  for ([[maybe_unused]] auto _ : state) {
    asio::co_spawn(io, pass_on(one, true), asio::detached);
    asio::co_spawn(io, pass_on(other, false), asio::detached);
    io.restart();
    io.run();
  }
  state.SetItemsProcessed(state.iterations() * per_run);
}

// A timer that has expired when it is awaited.
asio::awaitable<void> wait_expired(asio::steady_timer& timer) {
  for (int i = 0; i < per_run; ++i) {
    timer.expires_at(asio::steady_timer::time_point{});
    co_await timer.async_wait(asio::deferred);
  }
}

void expired_timer(benchmark::State& state) {
  asio::io_context io{1};
  asio::steady_timer timer{io};
  for ([[maybe_unused]] auto _ : state) {
    asio::co_spawn(io, wait_expired(timer), asio::detached);
    io.restart();
    io.run();
  }
  state.SetItemsProcessed(state.iterations() * per_run);
}

// A suspension by itself: no frame is made for it.
void suspend(benchmark::State& state) {
  run(state, suspend_deferred);
}

// The usual suspension, for which Asio makes a frame of its own.
void suspend_in_frame(benchmark::State& state) {
  run(state, suspend_use_awaitable);
}

// A frame by itself, made and destroyed.
void frame(benchmark::State& state) {
  run(state, call_child);
}

// A green thread, from co_spawn to its end.
void spawn(benchmark::State& state) {
  asio::io_context io{1};
  for ([[maybe_unused]] auto _ : state) {
    asio::co_spawn(io, child(1), asio::detached);
    io.poll();
    io.restart();
  }
}

asio::awaitable<void> park(asio::steady_timer& timer, int depth) {
  if (depth > 1)
    co_await park(timer, depth - 1);
  else
    co_await timer.async_wait(asio::deferred);
}

// Listing of as many green threads as the argument says, eight frames deep.
void list(benchmark::State& state) {
  asio::io_context io{1};
  std::deque<asio::steady_timer> timers;
  for (std::int64_t i = 0; i < state.range(0); ++i)
    asio::co_spawn(io, park(timers.emplace_back(io, std::chrono::hours{1}), 8), asio::detached);
  io.poll();
  struct counter final : gmr::green_thread_visitor {
    void visit(const gmr::green_thread_view& view) override {
      ++threads;
      frames += view.frames.size();
    }
    std::size_t threads = 0;
    std::size_t frames = 0;
  } seen;
  for ([[maybe_unused]] auto _ : state)
    gmr::trace::for_each_scheduler([&](gmr::scheduler& source) { source.list(seen); });
  using benchmark::Counter;
  state.counters["threads"] = Counter{static_cast<double>(seen.threads), Counter::kAvgIterations};
  state.counters["frames"] = Counter{static_cast<double>(seen.frames), Counter::kAvgIterations};
}

BENCHMARK(suspend);
BENCHMARK(suspend_in_frame);
BENCHMARK(frame);
BENCHMARK(spawn);
BENCHMARK(pass_byte);
BENCHMARK(expired_timer);
BENCHMARK(list)->Arg(1000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
