// What gmr::trace_ops knows of fibers, and of the composed operations of Beast.
#include <gtest/gtest.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "coroutine_run.hpp"
#include "operation_listing.hpp"

namespace gmr::test {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

class FiberOperations : public testing::Test {
 protected:
  FiberOperations() {
    tcp::acceptor acceptor{io_, {asio::ip::address_v4::loopback(), 0}};
    client_.connect(acceptor.local_endpoint());
    tcp::socket accepted{io_};
    acceptor.accept(accepted);
    descriptor_ = accepted.native_handle();
    server_.emplace(std::move(accepted));
  }

  template <typename Body>
  void spawn(Body body) {
    asio::spawn(asio::make_strand(io_), std::move(body), asio::detached);
    settle(io_);
  }

  void TearDown() override {
    timer_.cancel();
    server_->close();
    settle(io_);
    EXPECT_TRUE(list_waits().empty());
  }

  asio::io_context io_;
  asio::steady_timer timer_{io_, 1h};
  tcp::socket client_{io_};
  std::optional<beast::tcp_stream> server_;
  int descriptor_ = -1;
  std::array<char, 64> buffer_{};
};

TEST_F(FiberOperations, AReadHasItsDescriptor) {
  spawn([&](const asio::yield_context& yield) {
    error_code error;
    server_->socket().async_read_some(asio::buffer(buffer_), yield[error]);
  });
  const listed_wait seen = the_only_wait();
  EXPECT_EQ(seen.kind, green_thread_kind::fiber);
  EXPECT_EQ(seen.state, green_thread_state::suspended);
  EXPECT_EQ(seen.waits_for, "read");
  ASSERT_EQ(seen.operations.size(), 1U);
  EXPECT_EQ(seen.operations[0].descriptor, descriptor_);
  asio::write(client_, asio::buffer("x", 1));
  EXPECT_EQ(the_only_wait().state, green_thread_state::ready);
}

TEST_F(FiberOperations, ASecondWaitIsNotMixedUpWithTheFirst) {
  spawn([&](const asio::yield_context& yield) {
    error_code error;
    server_->socket().async_read_some(asio::buffer(buffer_), yield[error]);
    timer_.async_wait(yield[error]);
  });
  asio::write(client_, asio::buffer("x", 1));
  settle(io_);
  const listed_wait seen = the_only_wait();
  EXPECT_EQ(seen.waits_for, "timer");
  ASSERT_EQ(seen.operations.size(), 1U);
  EXPECT_NE(seen.operations[0].expires_at, 0U);
}

// What a fiber starts and does not wait for, and what others start after it was left.
TEST_F(FiberOperations, WhatItDoesNotWaitForIsNotItsWait) {
  std::array<char, 64> other{};
  asio::steady_timer later{io_, 1h};
  spawn([&](const asio::yield_context& yield) {
    error_code error;
    server_->socket().async_read_some(asio::buffer(other), asio::detached);
    timer_.async_wait(yield[error]);
  });
  later.async_wait(asio::detached);
  const listed_wait seen = the_only_wait();
  ASSERT_EQ(seen.operations.size(), 1U);
  EXPECT_EQ(seen.operations[0].kind, "timer");
  later.cancel();
}

TEST_F(FiberOperations, AWebSocketReadHasTheSocket) {
  beast::websocket::stream<beast::tcp_stream> stream{std::move(*server_)};
  server_.emplace(io_);
  spawn([&](const asio::yield_context& yield) {
    error_code error;
    stream.set_option(beast::websocket::stream_base::timeout::suggested(beast::role_type::server));
    stream.async_accept(yield[error]);
    beast::flat_buffer message;
    while (!error)
      stream.async_read(message, yield[error]);
  });
  beast::websocket::stream<tcp::socket> client{std::move(client_)};
  const auto expect_read = [&] {
    settle(io_);
    const auto waits = list_waits();
    const listed_wait* reads = nullptr;
    for (const listed_wait& each : waits)
      if (each.kind == green_thread_kind::fiber) reads = &each;
    ASSERT_NE(reads, nullptr);
    EXPECT_EQ(reads->waits_for, "read");
    ASSERT_FALSE(reads->operations.empty());
    EXPECT_EQ(reads->operations[0].descriptor, descriptor_);
    EXPECT_EQ(reads->state, green_thread_state::suspended);
  };
  expect_read();  // of the handshake
  asio::co_spawn(
      io_,
      [&]() -> asio::awaitable<void> {
        co_await client.async_handshake("localhost", "/", asio::use_awaitable);
        co_await client.async_write(asio::buffer("one", 3), asio::use_awaitable);
      },
      asio::detached);
  expect_read();
  beast::get_lowest_layer(stream).close();
  client.next_layer().close();
}

TEST_F(FiberOperations, AnHttpReadHasTheSocketAndTheTimerThatLimitsIt) {
  asio::co_spawn(
      io_,
      [&]() -> asio::awaitable<void> {
        beast::flat_buffer buffer;
        beast::http::request<beast::http::string_body> request;
        server_->expires_after(1h);
        co_await beast::http::async_read(*server_, buffer, request,
                                         asio::as_tuple(asio::use_awaitable));
      },
      asio::detached);
  settle(io_);
  for (const char* part : {"GET / HTTP/1.1\r\n", "Host: a\r\n"}) {
    const listed_wait seen = the_only_wait();
    EXPECT_EQ(seen.waits_for, "http read");
    EXPECT_EQ(seen.state, green_thread_state::suspended);
    ASSERT_EQ(seen.operations.size(), 2U);
    EXPECT_EQ(seen.operations[0].kind, "read");
    EXPECT_EQ(seen.operations[0].descriptor, descriptor_);
    EXPECT_EQ(seen.operations[1].kind, "timer");
    EXPECT_NE(seen.operations[1].expires_at, 0U);
    asio::write(client_, asio::buffer(std::string{part}));
    settle(io_);
  }
}

}  // namespace
}  // namespace gmr::test
