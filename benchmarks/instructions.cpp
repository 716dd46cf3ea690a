// What instruction_counts.py counts the instructions of: `instructions WHAT TIMES`.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/context/fiber.hpp>
#include <cstdlib>
#include <iostream>
#include <string_view>

namespace asio = boost::asio;
namespace context = boost::context;

namespace {

asio::awaitable<void> suspend(int times) {
  for (int i = 0; i < times; ++i)
    co_await asio::post(co_await asio::this_coro::executor, asio::deferred);
}

asio::awaitable<int> child(int i) {
  co_return i;
}

asio::awaitable<void> make_frames(int times) {
  int sum = 0;
  for (int i = 0; i < times; ++i)
    sum += co_await child(i);
  asm volatile("" : : "r"(sum));
}

void run(asio::awaitable<void> coroutine) {
  asio::io_context io{1};
  asio::co_spawn(io, std::move(coroutine), asio::detached);
  io.run();
}

// Each time there and back.
void switch_fibers(int times) {
  context::fiber fiber{[](context::fiber&& caller) {
    for (;;)
      caller = std::move(caller).resume();
    return std::move(caller);
  }};
  for (int i = 0; i < times; ++i)
    fiber = std::move(fiber).resume();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::cerr << "instructions suspension|frame|fiber TIMES\n", 64;
  const std::string_view what = argv[1];
  // NOLINTNEXTLINE(bugprone-unchecked-string-to-number-conversion): only a script gives it
  const int times = std::atoi(argv[2]);
  if (what == "suspension") return run(suspend(times)), 0;
  if (what == "frame") return run(make_frames(times)), 0;
  if (what == "fiber") return switch_fibers(times), 0;
  return std::cerr << "instructions: unknown: " << what << '\n', 64;
}
