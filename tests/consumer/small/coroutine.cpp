// A coroutine that waits. Compiled in every way in which tracing may be missed.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace asio = boost::asio;

static asio::awaitable<void> nap(asio::io_context& io) {
  asio::steady_timer timer{io, std::chrono::hours{1}};
  co_await timer.async_wait(asio::use_awaitable);
}

void start_coroutine() {
  static asio::io_context io;
  co_spawn(io, nap(io), asio::detached);
  io.poll();
}
