// A part of a program in a shared library of its own, with green threads of its own.
#include "part.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gmr/gmr.hpp>
#include <list>

namespace asio = boost::asio;

namespace {

std::list<asio::steady_timer> timers;

asio::steady_timer& new_timer(asio::io_context& io) {
  return timers.emplace_back(io, std::chrono::hours{1});
}

asio::awaitable<void> inner(asio::steady_timer& timer) {
  boost::system::error_code ended;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ended));
}

asio::awaitable<void> part_waits(asio::steady_timer& timer) {
  gmr::set_name("of the part");
  co_await inner(timer);
}

void part_fiber(asio::steady_timer& timer, asio::yield_context yield) {
  gmr::set_label("made by", "the part");
  boost::system::error_code ended;
  timer.async_wait(yield[ended]);
}

}  // namespace

void part_start(asio::io_context& io, int coroutines, int fibers) {
  for (int i = 0; i < coroutines; ++i)
    co_spawn(io, part_waits(new_timer(io)), asio::detached);
  for (int i = 0; i < fibers; ++i)
    asio::spawn(
        io, [&timer = new_timer(io)](asio::yield_context yield) { part_fiber(timer, yield); },
        asio::detached);
}

void part_stop(asio::io_context& io) {
  for (asio::steady_timer& each : timers)
    each.cancel();
  io.restart();
  io.poll();
  timers.clear();
}

asio::awaitable<void> part_nested() {
  asio::steady_timer timer{co_await asio::this_coro::executor, std::chrono::hours{1}};
  co_await inner(timer);
}

std::string part_report() {
  gmr::reporter reporter{{.name = "part", .version = "1"}, gmr::settings{.signal = 1}};
  return gmr::to_json(reporter.make("test"));
}
