// Coroutines and fibers that wait in operations of Beast.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <boost/context/fixedsize_stack.hpp>
#include <exception>
#include <gmr/trace/label.hpp>

#include "awaitables.hpp"
#include "loop.hpp"
#include "programs.hpp"
#include "walk.hpp"

namespace truth {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using executor = asio::any_io_executor;
using websocket = beast::websocket::stream<beast::tcp_stream>;

// Two ends of a connection; they live until the process ends.
struct connection {
  tcp::socket client{loop()};
  tcp::socket server{loop()};
};

connection& new_connection() {
  auto& made = *new connection;
  tcp::acceptor acceptor{loop(), {asio::ip::address_v4::loopback(), 0}};
  made.client.connect(acceptor.local_endpoint());
  acceptor.accept(made.server);
  return made;
}

struct http_server {
  beast::tcp_stream stream{std::move(new_connection().server)};
  beast::flat_buffer buffer;
  http::request<http::string_body> request;
};

struct websocket_server {
  websocket stream{std::move(new_connection().server)};
  beast::flat_buffer buffer;
};

task<executor> read_request(green_thread& me) {
  const frame here{me, "truth::read_request"};
  me.waits_for = "http read";
  auto& server = *new http_server;
  auto& [stream, buffer, request] = server;
  stream.expires_after(std::chrono::hours{1});
  co_await http::async_read(stream, buffer, request, here.at(asio::use_awaitable));
}

task<executor> accept_websocket(green_thread& me) {
  const frame here{me, "truth::accept_websocket"};
  me.waits_for = "websocket accept";
  auto& server = *new websocket_server;
  co_await server.stream.async_accept(asio::as_tuple(here.at(asio::use_awaitable)));
}

task<executor> wait_any(green_thread& me) {
  const frame here{me, "truth::wait_any"};
  count_parked();
  if (me.any(2) == 0)
    co_await read_request(here.at(me));
  else
    co_await accept_websocket(here.at(me));
}

task<executor> down(green_thread& me, int depth) {
  const frame here{me, "truth::down"};
  if (depth == 0)
    co_await wait_any(here.at(me));
  else
    co_await down(here.at(me), depth - 1);
}

task<executor> body(green_thread& me) {
  const frame here{me, "truth::body"};
  gmr::set_name(me.name);
  const int depth = me.any(12);
  co_await down(here.at(me), depth);
}

void read_message(green_thread& me, asio::yield_context yield) {
  const frame here{me, "truth::read_message"};
  auto& server = *new websocket_server;
  count_parked();
  server.stream.async_accept(here.at(yield));
}

void read_request_in_fiber(green_thread& me, asio::yield_context yield) {
  const frame here{me, "truth::read_request_in_fiber"};
  auto& [stream, buffer, request] = *new http_server;
  count_parked();
  http::async_read(stream, buffer, request, here.at(yield));
}

void spawn_fiber(green_thread& me) {
  asio::spawn(
      loop(), std::allocator_arg, boost::context::fixedsize_stack{512 * 1024},
      [&me](asio::yield_context yield) {
        const frame here{me, "truth::spawn_fiber::{lambda}"};
        gmr::set_name(me.name);
        me.visits = 0;
        me.suspend = [yield](green_thread& self) {
          const frame inner{self, "truth::spawn_fiber::{lambda}::{lambda}"};
          if (self.any(2) == 0)
            read_message(inner.at(self), yield);
          else
            read_request_in_fiber(inner.at(self), yield);
        };
        walk_on(here.at(me));
      },
      [](const std::exception_ptr&) {});
}

}  // namespace

void start_beast(int count) {
  run_until_parked(1, [&] {
    for (int i = 0; i < count / 2; ++i) {
      green_thread& me = new_green_thread("coroutine", "Beast coroutine");
      asio::co_spawn(loop(), body(me), asio::detached);
      spawn_fiber(new_green_thread("fiber", "Beast fiber"));
    }
  });
}

}  // namespace truth
