// asio::awaitable with the default executor, and what it can wait for.
#include "awaitables.hpp"

#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <gmr/trace/label.hpp>
#include <thread>

#include "loop.hpp"
#include "programs.hpp"

namespace truth {
namespace {

using asio::ip::tcp;
using boost::system::error_code;
using executor = asio::any_io_executor;
using channel = asio::experimental::channel<void(error_code, int)>;
using concurrent_channel = asio::experimental::concurrent_channel<void(error_code, int)>;

task<executor> wait_for_timer(green_thread& me) {
  const frame here{me, "truth::wait_for_timer"};
  me.waits_for = "timer";
  auto& timer = endless_timer(co_await asio::this_coro::executor);
  error_code error;
  switch (me.any(5)) {
    case 0:
      co_await timer.async_wait(here.at(asio::use_awaitable));
      break;
    case 1:
      co_await timer.async_wait(here.at(asio::deferred));
      break;
    case 2:
      co_await timer.async_wait(asio::as_tuple(here.at(asio::use_awaitable)));
      break;
    case 3:
      co_await timer.async_wait(asio::as_tuple(here.at(asio::deferred)));
      break;
    default:
      co_await timer.async_wait(asio::redirect_error(here.at(asio::use_awaitable), error));
  }
}

task<executor> wait_for_channel(green_thread& me) {
  const frame here{me, "truth::wait_for_channel"};
  const executor own = co_await asio::this_coro::executor;
  me.waits_for = "channel receive";
  if (me.any(2) == 0) {
    auto& empty = *new channel{own};
    co_await empty.async_receive(here.at(asio::use_awaitable));
  } else {
    auto& empty = *new concurrent_channel{own};
    co_await empty.async_receive(asio::as_tuple(here.at(asio::deferred)));
  }
}

task<executor> wait_for_room(green_thread& me) {
  const frame here{me, "truth::wait_for_room"};
  me.waits_for = "channel send";
  auto& full = *new channel{co_await asio::this_coro::executor};
  co_await full.async_send(error_code{}, 1, here.at(asio::use_awaitable));
}

task<executor> wait_for_client(green_thread& me) {
  const frame here{me, "truth::wait_for_client"};
  me.waits_for = "accept";
  auto& acceptor =
      *new tcp::acceptor{co_await asio::this_coro::executor, {asio::ip::address_v4::loopback(), 0}};
  tcp::socket client = co_await acceptor.async_accept(here.at(asio::use_awaitable));
}

tcp::socket& silent_peer() {
  static auto* const client = new tcp::socket{loop()};
  static auto* const server = [] {
    tcp::acceptor acceptor{loop(), {asio::ip::address_v4::loopback(), 0}};
    client->connect(acceptor.local_endpoint());
    return new tcp::socket{acceptor.accept()};
  }();
  return *server;
}

task<executor> wait_for_data(green_thread& me) {
  const frame here{me, "truth::wait_for_data"};
  me.waits_for = "read";
  const auto buffer = asio::buffer(new char[16], 16);
  if (me.any(2) == 0)
    co_await silent_peer().async_read_some(buffer, here.at(asio::use_awaitable));
  else
    co_await asio::async_read(silent_peer(), buffer, here.at(asio::use_awaitable));
}

struct own_operation {
  asio::steady_timer& timer;
  template <class Self>
  void operator()(Self& self) {
    timer.async_wait(std::move(self));
  }
  template <class Self>
  void operator()(Self& self, error_code error) {
    self.complete(error);
  }
};

template <class Token>
auto async_own_operation(asio::steady_timer& timer, Token&& token) {
  return asio::async_compose<Token, void(error_code)>(own_operation{timer}, token, timer);
}

task<executor> wait_for_own_operation(green_thread& me) {
  const frame here{me, "truth::wait_for_own_operation"};
  auto& timer = *new asio::steady_timer{loop(), std::chrono::hours{24}};
  co_await async_own_operation(timer, here.at(asio::use_awaitable));
}

task<executor> wait_for_turn(green_thread& me) {
  const frame here{me, "truth::wait_for_turn"};
  me.waits_for = "post";
  me.state = "ready";
  co_await asio::post(asio::bind_executor(stopped_loop(), here.at(asio::use_awaitable)));
}

task<executor> wait_for_ever(green_thread& me) {
  const frame here{me, "truth::wait_for_ever"};
  count_parked();
  switch (me.any(7)) {
    case 0:
      co_await wait_for_timer(here.at(me));
      break;
    case 1:
      co_await wait_for_channel(here.at(me));
      break;
    case 2:
      co_await wait_for_room(here.at(me));
      break;
    case 3:
      co_await wait_for_client(here.at(me));
      break;
    case 4:
      co_await wait_for_data(here.at(me));
      break;
    case 5:
      co_await wait_for_own_operation(here.at(me));
      break;
    default:
      co_await wait_for_turn(here.at(me));
  }
}

// Ends as cancelled, with an error or an exception.
task<executor> wait_until_cancelled(green_thread& me) {
  const executor own = co_await asio::this_coro::executor;
  asio::cancellation_signal cancel;
  asio::steady_timer timer{own, std::chrono::hours{1}};
  asio::post(own, [&] { cancel.emit(asio::cancellation_type::terminal); });
  const auto slot = cancel.slot();
  if (me.any(2) == 0)
    co_await timer.async_wait(
        asio::bind_cancellation_slot(slot, asio::as_tuple(asio::use_awaitable)));
  else
    co_await timer.async_wait(asio::bind_cancellation_slot(slot, asio::use_awaitable));
}

}  // namespace

template <>
task<executor> wait<executor>(green_thread& me) {
  const frame here{me, "truth::wait"};
  if (me.parks()) {
    co_await wait_for_ever(here.at(me));
    co_return;
  }
  if (me.any(2) == 0) {
    co_await asio::post(asio::deferred);
  } else {
    try {
      co_await wait_until_cancelled(me);
    } catch (const std::exception&) {
    }
  }
  perhaps_give_up_waiting(me);
}

namespace {

task<executor> body(green_thread& me) {
  const frame here{me, "truth::body"};
  gmr::set_name(me.name);
  co_await descend_on<executor>(here.at(me));
}

void spawn_any(const char* what) {
  green_thread& me = new_green_thread("coroutine", what);
  switch (me.any(3)) {
    case 0:
      return asio::co_spawn(asio::make_strand(loop()), body(me), asio::detached);
    case 1:
      return asio::co_spawn(asio::make_strand(loop()), [&me] { return body(me); }, asio::detached);
    default:
      asio::co_spawn(
          asio::make_strand(loop()),
          [&me]() -> task<executor> {
            const frame here{me, "truth::spawn_any::{lambda}"};
            gmr::set_name(me.name);
            co_await descend_on<executor>(here.at(me));
          },
          [](const std::exception_ptr&) {});
  }
}

// The chain of one that runs has the line of its last co_await.
task<executor> block(green_thread& me, green_thread& own) {
  const frame here{me, "truth::block"};
  const frame on_thread{own, "truth::block"};
  co_await asio::post(here.at(asio::use_awaitable));
  char byte = 0;
  int ends[2];
  if (::pipe(ends) != 0) std::abort();
  on_thread.goes_on_at(__LINE__ + 2);
  count_parked();
  if (::read(ends[0], &byte, 1) == 1) std::abort();
}

task<executor> leads_to_block(green_thread& me, green_thread& own) {
  const frame here{me, "truth::leads_to_block"};
  gmr::set_name(me.name);
  co_await block(here.at(me), own);
}

void run_blocked(green_thread& own) {
  own.thread = ::gettid();
  green_thread& me = new_green_thread("coroutine", "blocking");
  me.state = "running";
  me.thread = own.thread;
  const frame here{own, "truth::run_blocked"};
  count_parked();
  asio::io_context io;
  asio::co_spawn(io, leads_to_block(me, own), asio::detached);
  here.at(io).run();
}

}  // namespace

void start_awaitables(int count) {
  const auto half = static_cast<std::size_t>(count) / 2;
  run_until_parked(1, [&] {
    for (std::size_t i = 0; i < half; ++i)
      spawn_any("awaitable");
  });
  run_until_parked(3, [&] {
    for (std::size_t i = 0; i < half; ++i)
      spawn_any("awaitable, moving");
  });
}

void start_blocked_awaitables() {
  for (int i = 0; i < 3; ++i)
    std::thread{run_blocked, std::ref(new_green_thread("thread", "blocked"))}.detach();
  while (!all_have_parked())
    std::this_thread::yield();
}

}  // namespace truth
