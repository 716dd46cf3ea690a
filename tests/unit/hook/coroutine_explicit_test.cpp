// The explicit form: coroutines over our executor type, in a unit compiled without gmr::trace.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <chrono>

#include "coroutine_listing.hpp"
#include "coroutine_run.hpp"
#include "gmr/trace/traced_executor.hpp"

namespace gmr::test {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

int inner_line = 0, outer_line = 0;

gmr::awaitable<void> inner(asio::steady_timer& timer) {
  inner_line = __LINE__ + 1;
  co_await timer.async_wait(gmr::use_awaitable);
}

gmr::awaitable<void> outer(asio::steady_timer& timer) {
  const traced_executor executor = co_await asio::this_coro::executor;
  EXPECT_EQ(executor, timer.get_executor());
  outer_line = __LINE__ + 1;
  co_await inner(timer);
}

asio::awaitable<void> plain(asio::steady_timer& timer) {
  co_await timer.async_wait(asio::deferred);
}

TEST(CoroutineExplicit, OnlyWhatUsesTheExecutorIsListed) {
  asio::io_context io;
  asio::steady_timer timer{io, 1h};
  asio::co_spawn(io, outer(timer), asio::detached);
  asio::co_spawn(io, plain(timer), asio::detached);
  settle(io);
  const auto seen = the_only_coroutine();
  EXPECT_EQ(chain(seen), at("inner", inner_line) + ' ' + at("outer", outer_line));
  EXPECT_EQ(seen.waits_for, "timer");
  timer.cancel();
  settle(io);
  EXPECT_TRUE(list_coroutines().empty());
}

}  // namespace
}  // namespace gmr::test
