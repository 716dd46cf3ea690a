// What stands around an operation does not name it: completion tokens, time limits, compositions.
#include <gtest/gtest.h>

#include <boost/asio/append.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/consign.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/co_composed.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#if __has_include(<boost/asio/cancel_after.hpp>)
#include <boost/asio/cancel_after.hpp>
#include <boost/asio/cancel_at.hpp>
#endif

#include "coroutine_listing.hpp"
#include "coroutine_run.hpp"

namespace shop {

namespace asio = boost::asio;
using boost::system::error_code;

struct payment {
  asio::steady_timer& timer;
  template <typename Self>
  void operator()(Self& self) {
    timer.async_wait(std::move(self));
  }
  template <typename Self>
  void operator()(Self& self, error_code error) {
    self.complete(error);
  }
};

template <typename Token>
auto async_pay(asio::steady_timer& timer, Token&& token) {
  return asio::async_compose<Token, void(error_code)>(payment{timer}, token, timer);
}

// Boost's rules are for the operations of Boost: this accepts nothing.
struct accept_orders {
  template <typename Handler>
  void operator()(Handler&& handler, asio::steady_timer* timer) const {
    timer->async_wait(std::forward<Handler>(handler));
  }
};

template <typename Token>
auto async_accept_orders(asio::steady_timer& timer, Token&& token) {
  return asio::async_initiate<Token, void(error_code)>(accept_orders{}, token, &timer);
}

#pragma GCC diagnostic push
#ifndef __OPTIMIZE__
// g++ 12 takes the two operators of the promise of co_composed for different allocators then.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif
template <typename Token>
auto async_deliver(asio::steady_timer& timer, Token&& token) {
  return asio::async_initiate<Token, void(error_code)>(
      asio::experimental::co_composed<void(error_code)>(
          [](auto, asio::steady_timer& t) -> void {
            auto [error] = co_await t.async_wait(asio::as_tuple(asio::deferred));
            co_return error;
          },
          timer),
      token, std::ref(timer));
}
#pragma GCC diagnostic pop

}  // namespace shop

namespace gmr::test {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace std::chrono_literals;

class CoroutineTokens : public testing::Test {
 protected:
  CoroutineTokens() { asio::local::connect_pair(near_, far_); }

  template <typename Body>
  void expect(const std::string& waits_for, Body body) {
    asio::co_spawn(io_, std::move(body), asio::detached);
    settle(io_);
    const auto seen = the_only_coroutine();
    EXPECT_EQ(seen.waits_for, waits_for);
    EXPECT_EQ(seen.state, green_thread_state::suspended);
    ASSERT_EQ(seen.frames.size(), 1U) << chain(seen);
    EXPECT_STREQ(seen.frames[0].file, __FILE__);
    timer_.cancel();
    near_.cancel();
    settle(io_);
    EXPECT_TRUE(list_coroutines().empty());
  }

  asio::io_context io_;
  asio::steady_timer timer_{io_, 1h};
  asio::local::stream_protocol::socket near_{io_}, far_{io_};
  std::vector<char> buffer_ = std::vector<char>(1 << 24);
  error_code error_;
};

TEST_F(CoroutineTokens, ErrorsThatAreRedirected) {
  expect("read", [this]() -> asio::awaitable<void> {
    co_await asio::async_read(near_, asio::buffer(buffer_),
                              asio::redirect_error(asio::use_awaitable, error_));
  });
  expect("read", [this]() -> asio::awaitable<void> {
    std::string text;
    co_await asio::async_read_until(near_, asio::dynamic_buffer(text), '\n',
                                    asio::redirect_error(asio::use_awaitable, error_));
  });
  expect("write", [this]() -> asio::awaitable<void> {
    co_await asio::async_write(near_, asio::buffer(buffer_),
                               asio::redirect_error(asio::use_awaitable, error_));
  });
}

TEST_F(CoroutineTokens, SeveralAroundOneAnother) {
  expect("timer", [this]() -> asio::awaitable<void> {
    [[maybe_unused]] auto all = co_await timer_.async_wait(asio::bind_executor(
        io_, asio::as_tuple(asio::append(asio::consign(asio::use_awaitable, 1), 2))));
  });
  expect("timer", [this]() -> asio::awaitable<void> {
    co_await timer_.async_wait(asio::bind_executor(io_, asio::as_tuple(asio::deferred)));
  });
}

TEST_F(CoroutineTokens, ErrorsThatAreRedirectedAroundAndWithinOthers) {
  expect("timer", [this]() -> asio::awaitable<void> {
    co_await timer_.async_wait(
        asio::redirect_error(asio::bind_executor(io_, asio::use_awaitable), error_));
  });
  expect("read", [this]() -> asio::awaitable<void> {
    co_await near_.async_read_some(
        asio::buffer(buffer_), asio::redirect_error(asio::consign(asio::use_awaitable, 1), error_));
  });
  expect("timer", [this]() -> asio::awaitable<void> {
    co_await timer_.async_wait(
        asio::bind_executor(io_, asio::redirect_error(asio::use_awaitable, error_)));
  });
}

TEST_F(CoroutineTokens, WhatIsChainedToAnOperation) {
  expect("timer", [this]() -> asio::awaitable<void> {
    co_await timer_.async_wait(
        asio::deferred([this](error_code) { return asio::post(io_, asio::deferred); }));
  });
}

TEST_F(CoroutineTokens, ComposedOperationsAreNamedByTheirImplementation) {
  expect("shop::payment", [this]() -> asio::awaitable<void> {
    co_await shop::async_pay(timer_, asio::redirect_error(asio::use_awaitable, error_));
  });
  expect("shop::payment", [this]() -> asio::awaitable<void> {
    [[maybe_unused]] auto all =
        co_await shop::async_pay(timer_, asio::as_tuple(asio::consign(asio::deferred, 1)));
  });
  expect("shop::async_deliver", [this]() -> asio::awaitable<void> {
    [[maybe_unused]] auto all =
        co_await shop::async_deliver(timer_, asio::as_tuple(asio::use_awaitable));
  });
}

TEST_F(CoroutineTokens, OthersAreNamedByTheirInitiation) {
  expect("shop::accept_orders", [this]() -> asio::awaitable<void> {
    co_await shop::async_accept_orders(timer_, asio::redirect_error(asio::use_awaitable, error_));
  });
}

#if __has_include(<boost/asio/cancel_after.hpp>)
TEST_F(CoroutineTokens, TimeLimits) {
  asio::steady_timer limit{io_};
  const auto later = std::chrono::steady_clock::now() + 1h;
  expect("timer", [&]() -> asio::awaitable<void> {
    co_await timer_.async_wait(asio::cancel_after(1h, asio::deferred));
  });
  expect("timer", [&]() -> asio::awaitable<void> {
    co_await timer_.async_wait(asio::cancel_at(later, asio::use_awaitable));
  });
  expect("read", [&]() -> asio::awaitable<void> {
    [[maybe_unused]] auto all =
        co_await asio::async_read(near_, asio::buffer(buffer_),
                                  asio::cancel_after(limit, 1h, asio::as_tuple(asio::deferred)));
  });
  expect("read", [&]() -> asio::awaitable<void> {
    co_await near_.async_read_some(asio::buffer(buffer_),
                                   asio::cancel_at(limit, later, asio::use_awaitable));
  });
  expect("shop::payment", [&]() -> asio::awaitable<void> {
    co_await shop::async_pay(timer_, asio::cancel_after(1h, asio::use_awaitable));
  });
}

TEST_F(CoroutineTokens, ThoseThatAreTheDefault) {
  expect("timer", [&]() -> asio::awaitable<void> { co_await timer_.async_wait(); });
  expect("timer",
         [&]() -> asio::awaitable<void> { co_await timer_.async_wait(asio::cancel_after(1h)); });
  expect("timer", [&]() -> asio::awaitable<void> {
    co_await timer_.async_wait(asio::redirect_error(error_));
  });
  expect("read", [&]() -> asio::awaitable<void> {
    co_await asio::async_read(near_, asio::buffer(buffer_), asio::cancel_after(1h));
  });
}
#endif

}  // namespace
}  // namespace gmr::test
