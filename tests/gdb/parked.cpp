// Fibers and coroutines of known stacks that stand still, and reports of them.
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <chrono>
#include <exception>
#include <gmr/gmr.hpp>
#include <iostream>
#include <string>
#include <vector>

namespace asio = boost::asio;
namespace context = boost::context;
using namespace std::chrono_literals;

[[gnu::noinline]] void descend(int depth, context::fiber& caller) {
  if (depth > 0)
    descend(depth - 1, caller);
  else
    caller = std::move(caller).resume();
  asm volatile("" ::: "memory");  // no tail call
}

context::fiber park(int depth) {
  context::fiber fiber{std::allocator_arg, context::protected_fixedsize_stack{},
                       [depth](context::fiber&& caller) {
                         context::fiber back = std::move(caller);
                         descend(depth, back);
                         return back;
                       }};
  return std::move(fiber).resume();
}

asio::awaitable<void> inner(asio::steady_timer& timer) {
  co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<int> outer(asio::steady_timer& timer, int depth) {
  if (depth == 0)
    co_await inner(timer);
  else
    co_await outer(timer, depth - 1);
  co_return depth;
}

asio::awaitable<void> accept(asio::ip::tcp::acceptor& acceptor) {
  co_await acceptor.async_accept(asio::use_awaitable);
}

asio::awaitable<void> both(asio::steady_timer& one, asio::steady_timer& other) {
  using namespace asio::experimental::awaitable_operators;
  co_await (inner(one) && inner(other));
}

using channel = asio::experimental::channel<void(boost::system::error_code, int)>;

asio::awaitable<void> receive(channel& from) {
  co_await from.async_receive(asio::use_awaitable);
}

asio::awaitable<void> in_turn(asio::io_context& other) {
  co_await asio::post(asio::bind_executor(other, asio::use_awaitable));
}

// A fiber that runs: the thread's own stack waits below it.
context::fiber run_until_told(context::fiber&& caller) {
  std::cout << "parked" << std::endl;
  std::string line;
  std::getline(std::cin, line);
  return std::move(caller);
}

int main(int argc, char** argv) try {
  boost::program_options::options_description all;
  all.add(gmr::options());
  gmr::reporter reporter{{.name = "parked", .version = "1"}, gmr::load_options(argc, argv, all)};

  asio::io_context io;
  asio::io_context never_run;
  asio::steady_timer timer{io, 24h};
  asio::steady_timer other{io, 24h};
  asio::ip::tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
  channel empty{io};

  std::vector<context::fiber> fibers;
  for (int depth = 0; depth < 5; ++depth)
    fibers.push_back(park(depth));
  // Has a record, but never begins.
  fibers.emplace_back([](context::fiber&& caller) { return std::move(caller); });
  for (int depth = 0; depth < 5; ++depth)
    asio::co_spawn(io, outer(timer, depth), asio::detached);
  asio::co_spawn(io, accept(acceptor), asio::detached);
  asio::co_spawn(io, both(timer, other), asio::detached);
  asio::co_spawn(io, receive(empty), asio::detached);
  asio::co_spawn(io, in_turn(never_run), asio::detached);
  asio::spawn(
      io, [&](asio::yield_context yield) { timer.async_wait(yield); },
      [](const std::exception_ptr&) {});
  while (io.poll() != 0) {
  }
  asio::co_spawn(io, outer(timer, 1), asio::detached);  // has not begun
  context::fiber running{run_until_told};
  running = std::move(running).resume();
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
