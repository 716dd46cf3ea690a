// Chains of suspended coroutines: which are listed, and the line of each co_await.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <string>

#include "coroutine_listing.hpp"
#include "coroutine_run.hpp"

namespace gmr::test {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

int inner_line = 0, middle_line = 0, outer_line = 0;

asio::awaitable<int> inner(asio::steady_timer& timer) {
  inner_line = __LINE__ + 1;
  co_await timer.async_wait(asio::use_awaitable);
  co_return 42;
}

asio::awaitable<std::string> middle(asio::steady_timer& timer) {
  middle_line = __LINE__ + 1;
  const int value = co_await inner(timer);
  co_return std::to_string(value);
}

asio::awaitable<void> outer(asio::steady_timer& timer, std::string& result) {
  outer_line = __LINE__ + 1;
  result = co_await middle(timer);
  outer_line = __LINE__ + 1;
  co_await timer.async_wait(asio::use_awaitable);
}

TEST(CoroutineChain, ShowsEachFrameAtTheLineOfItsAwait) {
  asio::io_context io;
  asio::steady_timer timer{io, 1h};
  std::string result;
  asio::co_spawn(io, outer(timer, result), asio::detached);
  settle(io);

  const auto seen = the_only_coroutine();
  EXPECT_EQ(chain(seen), at("inner", inner_line) + ' ' + at("middle", middle_line) + ' ' +
                             at("outer", outer_line));
  for (const auto& frame : seen.frames)
    EXPECT_STREQ(frame.file, __FILE__);
  EXPECT_EQ(seen.state, green_thread_state::suspended);
  EXPECT_EQ(seen.waits_for, "timer");
  EXPECT_NE(seen.id, 0U);

  timer.expires_after(1h);  // completes the wait: cancelled
  settle(io);
  EXPECT_TRUE(list_coroutines().empty());
}

TEST(CoroutineChain, MovesOnWithTheCoroutine) {
  asio::io_context io;
  asio::steady_timer first{io, 1ns};
  asio::steady_timer second{io, 1h};
  int line = 0;
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        co_await first.async_wait(asio::use_awaitable);
        line = __LINE__ + 1;
        co_await second.async_wait(asio::use_awaitable);
      },
      asio::detached);
  while (line == 0)
    io.run_one();
  settle(io);

  const auto seen = the_only_coroutine();
  ASSERT_EQ(seen.frames.size(), 1U);
  EXPECT_EQ(seen.frames[0].line, static_cast<std::uint32_t>(line));
  EXPECT_EQ(seen.state, green_thread_state::suspended);
}

TEST(CoroutineChain, EndsWithItsContext) {
  {
    asio::io_context io;
    asio::steady_timer timer{io, 1h};
    std::string result;
    asio::co_spawn(io, outer(timer, result), asio::detached);
    settle(io);
    EXPECT_EQ(list_coroutines().size(), 1U);
  }
  EXPECT_TRUE(list_coroutines().empty());
}

TEST(CoroutineChain, NotYetBegunIsReadyInItsFunction) {
  asio::io_context io;
  asio::steady_timer timer{io, 1h};
  std::string result;
  asio::co_spawn(io, outer(timer, result), asio::detached);

  const auto seen = the_only_coroutine();
  EXPECT_EQ(seen.state, green_thread_state::ready);
  ASSERT_EQ(seen.frames.size(), 1U);
  EXPECT_EQ(function_in(seen.frames[0].function), "outer");
}

}  // namespace
}  // namespace gmr::test
