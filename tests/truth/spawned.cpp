// asio::spawn: on one thread, and on several that the fibers move between.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/strand.hpp>
#include <boost/context/fixedsize_stack.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <exception>
#include <gmr/trace/label.hpp>
#include <memory>

#include "loop.hpp"
#include "programs.hpp"
#include "walk.hpp"

namespace truth {
namespace {

using asio::ip::tcp;
using boost::system::error_code;
using channel = asio::experimental::channel<void(error_code, int)>;

constexpr std::size_t stack_size = 256 * 1024;

void wait_for_timer(green_thread& me, asio::yield_context yield) {
  const frame here{me, "truth::wait_for_timer"};
  auto& timer = endless_timer(yield.get_executor());
  timer.async_wait(here.at(yield));
}

void wait_with_error(green_thread& me, asio::yield_context yield) {
  const frame here{me, "truth::wait_with_error"};
  auto& timer = endless_timer(yield.get_executor());
  error_code error;
  timer.async_wait(here.at(yield)[error]);
}

void wait_for_channel(green_thread& me, asio::yield_context yield) {
  const frame here{me, "truth::wait_for_channel"};
  channel& empty = *new channel{yield.get_executor()};
  static_cast<void>(empty.async_receive(here.at(yield)));
}

void wait_for_client(green_thread& me, asio::yield_context yield) {
  const frame here{me, "truth::wait_for_client"};
  auto& acceptor = *new tcp::acceptor{yield.get_executor(), {asio::ip::address_v4::loopback(), 0}};
  tcp::socket client = acceptor.async_accept(here.at(yield));
}

void wait_for_turn(green_thread& me, asio::yield_context yield) {
  const frame here{me, "truth::wait_for_turn"};
  asio::post(asio::bind_executor(stopped_loop(), here.at(yield)));
}

void wait_for_ever(green_thread& me, asio::yield_context yield) {
  const frame here{me, "truth::wait_for_ever"};
  count_parked();
  switch (me.any(5)) {
    case 0:
      return wait_for_timer(here.at(me), yield);
    case 1:
      return wait_with_error(here.at(me), yield);
    case 2:
      return wait_for_channel(here.at(me), yield);
    case 3:
      return wait_for_client(here.at(me), yield);
    default:
      return wait_for_turn(here.at(me), yield);
  }
}

// Ends as cancelled, with an error or an exception.
void wait_in_vain(green_thread& me, asio::yield_context yield) {
  asio::steady_timer timer{yield.get_executor(), std::chrono::hours{1}};
  asio::post(yield.get_executor(), [&timer] { timer.cancel(); });
  error_code error;
  try {
    if (me.any(2) == 0)
      timer.async_wait(yield[error]);
    else
      timer.async_wait(yield);
  } catch (const std::exception&) {
  }
  perhaps_give_up(me);
}

void suspend(green_thread& me, asio::yield_context yield) {
  const frame here{me, "truth::suspend"};
  if (me.parks())
    wait_for_ever(here.at(me), yield);
  else if (me.any(2) == 0)
    wait_in_vain(me, yield);
  else
    asio::post(yield);
}

template <class Executor, class Allocator>
void spawn(const Executor& executor, Allocator&& allocator, green_thread& me) {
  asio::spawn(
      executor, std::allocator_arg, std::forward<Allocator>(allocator),
      [&me](asio::yield_context yield) {
        const frame here{me, "truth::spawn::{lambda}"};
        gmr::set_name(me.name);
        me.suspend = [yield](green_thread& self) {
          const frame inner{self, "truth::spawn::{lambda}::{lambda}"};
          suspend(inner.at(self), yield);
        };
        walk_on(here.at(me));
      },
      [](const std::exception_ptr&) {});
}

void spawn_any(const char* what) {
  green_thread& me = new_green_thread("fiber", what);
  const auto strand = asio::make_strand(loop());
  if (me.any(2) == 0)
    spawn(strand, boost::context::fixedsize_stack{stack_size}, me);
  else
    spawn(strand, boost::context::protected_fixedsize_stack{stack_size}, me);
}

}  // namespace

void start_spawned(int count) {
  const auto half = static_cast<std::size_t>(count) / 2;
  run_until_parked(1, [&] {
    for (std::size_t i = 0; i < half; ++i)
      spawn_any("spawned");
  });
  run_until_parked(3, [&] {
    for (std::size_t i = 0; i < half; ++i)
      spawn_any("spawned, moving");
  });
}

}  // namespace truth
