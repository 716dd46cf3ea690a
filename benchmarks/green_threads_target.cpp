// A program with many parked green threads for green_thread_peers.py:
//   green_threads_target coroutines|fibers COUNT [--oslo_reports.OPTION=VALUE...]
//
// Each is parked at depth 8 in the wait for a timer. One more coroutine ticks every millisecond on
// the same thread. Prints "ready", then answers each line of its standard input with the longest
// time between two ticks since the line before, in microseconds. Ends when its standard input does.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <gmr/gmr.hpp>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>

#include "one_mapping.hpp"

namespace {

namespace asio = boost::asio;
using clock_type = std::chrono::steady_clock;
using timer = asio::steady_timer;

constexpr int depth = 8;
constexpr std::size_t stack_bytes = 16 * 1024;

asio::awaitable<void> park(timer& until, int levels) {
  if (levels > 1)
    co_await park(until, levels - 1);
  else
    co_await until.async_wait(asio::deferred);
}

[[gnu::noinline]] void park(timer& until, int levels, const asio::yield_context& yield) {
  if (levels > 1)
    park(until, levels - 1, yield);
  else
    until.async_wait(yield);
  asm volatile("" : : : "memory");  // each level keeps its frame
}

class longest_gap final {
 public:
  void tick() {
    const clock_type::time_point now = clock_type::now();
    longest_ = std::max(longest_, now - last_);
    last_ = now;
  }
  std::int64_t take_microseconds() {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::exchange(longest_, {}))
        .count();
  }

 private:
  clock_type::time_point last_ = clock_type::now();
  clock_type::duration longest_{};
};

asio::awaitable<void> tick(longest_gap& gap) {
  timer next{co_await asio::this_coro::executor};
  for (;;) {
    next.expires_after(std::chrono::milliseconds{1});
    co_await next.async_wait(asio::deferred);
    gap.tick();
  }
}

asio::awaitable<void> answer(asio::io_context& io, longest_gap& gap) try {
  asio::posix::stream_descriptor input{io, 0};
  std::string lines;
  std::cout << "ready" << std::endl;
  for (;;) {
    lines.erase(0, co_await asio::async_read_until(input, asio::dynamic_buffer(lines), '\n',
                                                   asio::use_awaitable));
    std::cout << gap.take_microseconds() << std::endl;
  }
} catch (const boost::system::system_error&) {  // end of input
  std::_Exit(0);                                // without taking a million of them apart
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 3) return 64;
  const bool fibers = std::string_view{argv[1]} == "fibers";
  const auto count = static_cast<std::size_t>(std::atoll(argv[2]));
  boost::program_options::options_description all{"target"};
  all.add(gmr::options());
  const gmr::loaded_options options = gmr::load_options(argc - 2, argv + 2, all);
  const gmr::reporter reporter{{.name = "target", .version = "1"}, options};

  asio::io_context io{1};
  std::deque<timer> timers;
  one_mapping stacks{fibers ? count : 1, stack_bytes};
  for (std::size_t i = 0; i < count; ++i) {
    timer& until = timers.emplace_back(io, std::chrono::hours{24});
    if (fibers)
      asio::spawn(
          io, std::allocator_arg, one_mapping::allocator{stacks},
          [&until](const asio::yield_context& yield) { park(until, depth, yield); },
          asio::detached);
    else
      asio::co_spawn(io, park(until, depth), asio::detached);
  }
  io.poll();
  longest_gap gap;
  asio::co_spawn(io, tick(gap), asio::detached);
  asio::co_spawn(io, answer(io, gap), asio::detached);
  io.run();
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
