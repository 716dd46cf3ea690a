// Traced and untraced units in one program: no chain is lost, none is wrong.
#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <chrono>

#include "coroutine_listing.hpp"
#include "coroutine_run.hpp"
#include "coroutine_untraced.hpp"

namespace gmr::test {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

class CoroutineMixed : public testing::Test {
 protected:
  // Waits for the timer in a traced coroutine.
  coroutine traced_wait(asio::steady_timer& timer) {
    return [this, &timer]() -> asio::awaitable<void> {
      inner_line_ = __LINE__ + 1;
      co_await timer.async_wait(asio::as_tuple(asio::deferred));
    };
  }

  void end(asio::steady_timer& timer) {
    timer.cancel();
    settle(io_);
  }

  asio::io_context io_;
  asio::steady_timer first_{io_, 1h};
  asio::steady_timer second_{io_, 1h};
  int inner_line_ = 0;
  int outer_line_ = 0;
  int done_line_ = 0;
};

TEST_F(CoroutineMixed, UntracedBetweenTraced) {
  asio::co_spawn(
      io_,
      [this]() -> asio::awaitable<void> {
        outer_line_ = __LINE__ + 1;
        co_await untraced(traced_wait(first_), &second_);
        done_line_ = __LINE__ + 1;
        co_await second_.async_wait(asio::as_tuple(asio::deferred));
      },
      asio::detached);
  settle(io_);
  auto seen = the_only_coroutine();
  ASSERT_EQ(seen.frames.size(), 2U) << chain(seen);
  EXPECT_EQ(seen.frames[0].line, static_cast<std::uint32_t>(inner_line_));
  EXPECT_EQ(seen.frames[1].line, static_cast<std::uint32_t>(outer_line_));
  EXPECT_EQ(seen.waits_for, "timer");
  const auto id = seen.id;

  end(first_);  // the untraced one goes on to wait
  seen = the_only_coroutine();
  EXPECT_EQ(seen.id, id);
  EXPECT_EQ(seen.state, green_thread_state::suspended);
  EXPECT_EQ(seen.waits_for, "untraced coroutine");
  ASSERT_EQ(seen.frames.size(), 1U) << chain(seen);
  EXPECT_EQ(seen.frames[0].line, static_cast<std::uint32_t>(outer_line_));

  end(second_);  // back to the traced one
  seen = the_only_coroutine();
  EXPECT_EQ(seen.waits_for, "timer");
  ASSERT_EQ(seen.frames.size(), 1U) << chain(seen);
  EXPECT_EQ(seen.frames[0].line, static_cast<std::uint32_t>(done_line_));

  end(second_);
  EXPECT_TRUE(list_coroutines().empty());
}

TEST_F(CoroutineMixed, TracedSpawnedByUntraced) {
  spawn_untraced(io_, traced_wait(first_));
  settle(io_);
  const auto seen = the_only_coroutine();
  ASSERT_EQ(seen.frames.size(), 1U) << chain(seen);
  EXPECT_EQ(seen.frames[0].line, static_cast<std::uint32_t>(inner_line_));
  EXPECT_EQ(seen.state, green_thread_state::suspended);
  end(first_);
  EXPECT_TRUE(list_coroutines().empty());
}

TEST_F(CoroutineMixed, TracedBelowUntracedAllTheWay) {
  spawn_untraced(io_, [this] { return untraced(traced_wait(first_), &second_); });
  settle(io_);
  EXPECT_EQ(the_only_coroutine().waits_for, "timer");
  end(first_);
  EXPECT_TRUE(list_coroutines().empty()) << "what is left of the chain is untraced";
  end(second_);
}

TEST_F(CoroutineMixed, DestroyedInTheMiddle) {
  {
    asio::io_context io;
    asio::steady_timer timer{io, 1h};
    const auto spawn = [&](auto root) { asio::co_spawn(io, root, asio::detached); };
    spawn([&] { return untraced(traced_wait(timer), nullptr); });
    spawn([&]() -> asio::awaitable<void> { co_await untraced(traced_wait(timer), nullptr); });
    spawn([&]() -> asio::awaitable<void> { co_await untraced({}, &timer); });
    spawn_untraced(io, [&] { return untraced(traced_wait(timer), nullptr); });
    settle(io);
    EXPECT_EQ(list_coroutines().size(), 4U);
  }
  EXPECT_TRUE(list_coroutines().empty());
}

}  // namespace
}  // namespace gmr::test
