// What coroutines wait for, by every way of waiting: the operation and the line.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "coroutine_listing.hpp"
#include "coroutine_run.hpp"

namespace gmr::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

class CoroutineOperations : public testing::Test {
 protected:
  // Spawns `body`, runs it until it waits, and checks where it does and what for.
  template <typename Body>
  void expect(const std::string& waits_for, const int& line, Body body) {
    asio::co_spawn(io_, body, asio::detached);
    settle(io_);
    const auto seen = the_only_coroutine();
    EXPECT_EQ(seen.waits_for, waits_for);
    ASSERT_EQ(seen.frames.size(), 1U) << chain(seen);
    EXPECT_EQ(seen.frames[0].line, static_cast<std::uint32_t>(line));
    EXPECT_STREQ(seen.frames[0].file, __FILE__);
    EXPECT_EQ(seen.state, green_thread_state::suspended);
  }

  void connect() {
    tcp::acceptor acceptor{io_, {asio::ip::address_v4::loopback(), 0}};
    client_.connect(acceptor.local_endpoint());
    acceptor.accept(server_);
  }

  void TearDown() override {
    timer_.cancel();
    settle(io_);
  }

  asio::io_context io_;
  asio::steady_timer timer_{io_, 1h};
  tcp::socket client_{io_};
  tcp::socket server_{io_};
  std::vector<char> buffer_ = std::vector<char>(1 << 24);
  int line_ = 0;
};

TEST_F(CoroutineOperations, TimerWithUseAwaitable) {
  expect("timer", line_, [&]() -> asio::awaitable<void> {
    line_ = __LINE__ + 1;
    co_await timer_.async_wait(asio::use_awaitable);
  });
}

TEST_F(CoroutineOperations, TimerWithDeferred) {
  expect("timer", line_, [&]() -> asio::awaitable<void> {
    line_ = __LINE__ + 1;
    co_await timer_.async_wait(asio::deferred);
  });
}

TEST_F(CoroutineOperations, TimerAsTuple) {
  expect("timer", line_, [&]() -> asio::awaitable<void> {
    line_ = __LINE__ + 1;
    [[maybe_unused]] auto [e] = co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  });
}

TEST_F(CoroutineOperations, TimerAsTupleDeferred) {
  expect("timer", line_, [&]() -> asio::awaitable<void> {
    line_ = __LINE__ + 1;
    [[maybe_unused]] auto [e] = co_await timer_.async_wait(asio::as_tuple(asio::deferred));
  });
}

TEST_F(CoroutineOperations, TimerWithRedirectedError) {
  expect("timer", line_, [&]() -> asio::awaitable<void> {
    error_code error;
    line_ = __LINE__ + 1;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
  });
}

TEST_F(CoroutineOperations, TimerWhoseDefaultTokenIsUseAwaitable) {
  using timer = asio::use_awaitable_t<>::as_default_on_t<asio::steady_timer>;
  expect("timer", line_, [&]() -> asio::awaitable<void> {
    timer t{timer_.get_executor(), 1h};
    line_ = __LINE__ + 1;
    co_await t.async_wait();
  });
}

TEST_F(CoroutineOperations, Accept) {
  tcp::acceptor acceptor{io_, {asio::ip::address_v4::loopback(), 0}};
  expect("accept", line_, [&]() -> asio::awaitable<void> {
    line_ = __LINE__ + 1;
    co_await acceptor.async_accept(asio::use_awaitable);
  });
  acceptor.cancel();
  settle(io_);
}

TEST_F(CoroutineOperations, ReadSome) {
  connect();
  expect("read", line_, [&]() -> asio::awaitable<void> {
    line_ = __LINE__ + 1;
    co_await server_.async_read_some(asio::buffer(buffer_), asio::use_awaitable);
  });
}

TEST_F(CoroutineOperations, ComposedRead) {
  connect();
  expect("read", line_, [&]() -> asio::awaitable<void> {
    line_ = __LINE__ + 1;
    co_await asio::async_read(server_, asio::buffer(buffer_), asio::use_awaitable);
  });
}

TEST_F(CoroutineOperations, ReadUntil) {
  connect();
  asio::streambuf text;
  expect("read", line_, [&]() -> asio::awaitable<void> {
    line_ = __LINE__ + 1;
    co_await asio::async_read_until(server_, text, '\n', asio::deferred);
  });
  server_.cancel();
  settle(io_);
}

TEST_F(CoroutineOperations, WriteThatNobodyReads) {
  connect();
  expect("write", line_, [&]() -> asio::awaitable<void> {
    line_ = __LINE__ + 1;
    co_await asio::async_write(server_, asio::buffer(buffer_), asio::use_awaitable);
  });
}

TEST_F(CoroutineOperations, ReadinessOfADescriptor) {
  connect();
  expect("descriptor", line_, [&]() -> asio::awaitable<void> {
    line_ = __LINE__ + 1;
    co_await server_.async_wait(tcp::socket::wait_read, asio::use_awaitable);
  });
}

TEST_F(CoroutineOperations, Signal) {
  asio::signal_set signals{io_, SIGWINCH};
  expect("signal", line_, [&]() -> asio::awaitable<void> {
    line_ = __LINE__ + 1;
    co_await signals.async_wait(asio::use_awaitable);
  });
  signals.cancel();
  settle(io_);
}

TEST_F(CoroutineOperations, Channels) {
  asio::experimental::channel<void(error_code, int)> empty{io_, 1};
  expect("channel receive", line_, [&]() -> asio::awaitable<void> {
    line_ = __LINE__ + 1;
    co_await empty.async_receive(asio::use_awaitable);
  });
  empty.cancel();
  settle(io_);
  asio::experimental::concurrent_channel<void(error_code, int)> full{io_, 0};
  expect("channel send", line_, [&]() -> asio::awaitable<void> {
    line_ = __LINE__ + 1;
    co_await full.async_send(error_code{}, 1, asio::use_awaitable);
  });
  full.cancel();
  settle(io_);
}

TEST_F(CoroutineOperations, ParallelGroup) {
  asio::steady_timer other{io_, 1h};
  expect("parallel group", line_, [&]() -> asio::awaitable<void> {
    auto group = asio::experimental::make_parallel_group(timer_.async_wait(asio::deferred),
                                                         other.async_wait(asio::deferred));
    line_ = __LINE__ + 1;
    co_await group.async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
  });
  other.cancel();
}

struct knock_thrice {
  asio::steady_timer& timer;
  int knocks = 0;
  template <typename Self>
  void operator()(Self& self, error_code error = {}) {
    if (error || ++knocks == 3) return self.complete(error);
    timer.async_wait(std::move(self));
  }
};

template <typename Token>
auto async_knock(asio::steady_timer& timer, Token&& token) {
  return asio::async_compose<Token, void(error_code)>(knock_thrice{timer}, token, timer);
}

TEST_F(CoroutineOperations, ComposedOperationIsNamedByItsType) {
  expect("gmr::test::(anonymous namespace)::knock_thrice", line_, [&]() -> asio::awaitable<void> {
    line_ = __LINE__ + 1;
    co_await async_knock(timer_, asio::use_awaitable);
  });
}

TEST_F(CoroutineOperations, DeferredComposedOperation) {
  expect("gmr::test::(anonymous namespace)::knock_thrice", line_, [&]() -> asio::awaitable<void> {
    line_ = __LINE__ + 1;
    co_await async_knock(timer_, asio::deferred);
  });
}

TEST_F(CoroutineOperations, OperatorsMakeGreenThreadsOfTheirBranches) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer other{io_, 1h};
  const auto wait = [](asio::steady_timer& t) -> asio::awaitable<void> {
    co_await t.async_wait(asio::use_awaitable);
  };
  asio::co_spawn(
      io_,
      [&]() -> asio::awaitable<void> {
        line_ = __LINE__ + 1;
        co_await (wait(timer_) || wait(other));
      },
      asio::detached);
  settle(io_);

  int waiting = 0, joining = 0;
  const auto all = list_coroutines();
  const auto parent = std::find_if(
      all.begin(), all.end(), [](const auto& each) { return each.waits_for == "parallel group"; });
  ASSERT_NE(parent, all.end());
  EXPECT_EQ(parent->parent, 0U);
  for (const auto& seen : all) {
    if (seen.waits_for == "timer") {
      ++waiting;
      EXPECT_EQ(seen.parent, parent->id);
    }
    if (seen.waits_for != "parallel group") continue;
    ++joining;
    ASSERT_FALSE(seen.frames.empty());
    EXPECT_EQ(seen.frames.back().line, static_cast<std::uint32_t>(line_)) << chain(seen);
  }
  EXPECT_EQ(waiting, 2);
  EXPECT_EQ(joining, 1);
  timer_.cancel();  // one that fails does not end the other
  settle(io_);
  EXPECT_EQ(list_coroutines().size(), 2U);
  other.cancel();
  settle(io_);
  EXPECT_TRUE(list_coroutines().empty());
}

TEST_F(CoroutineOperations, BranchesOfBranchesAreATree) {
  using namespace asio::experimental::awaitable_operators;
  const auto wait = [](asio::steady_timer& t) -> asio::awaitable<void> {
    co_await t.async_wait(asio::as_tuple(asio::deferred));
  };
  const auto both = [&]() -> asio::awaitable<void> { co_await (wait(timer_) && wait(timer_)); };
  asio::co_spawn(
      io_, [&]() -> asio::awaitable<void> { co_await (both() || wait(timer_)); }, asio::detached);
  settle(io_);
  std::map<std::uint64_t, int> children;
  const auto all = list_coroutines();
  for (const auto& seen : all)
    ++children[seen.parent];
  ASSERT_EQ(all.size(), 5U);
  ASSERT_EQ(children[0], 1);
  const auto root = std::find_if(all.begin(), all.end(), [](auto& c) { return c.parent == 0; });
  EXPECT_EQ(children[root->id], 2);
  const auto inner = std::find_if(all.begin(), all.end(), [&](auto& c) {
    return c.parent == root->id && c.waits_for == "parallel group";
  });
  ASSERT_NE(inner, all.end());
  EXPECT_EQ(children[inner->id], 2);
}

TEST_F(CoroutineOperations, BranchesOfAnExplicitGroupKnowTheirParent) {
  const auto wait = [this]() -> asio::awaitable<void> {
    // What a branch spawns by itself is nobody's branch.
    asio::co_spawn(
        io_,
        [this]() -> asio::awaitable<void> {
          co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        },
        asio::detached);
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  };
  asio::co_spawn(
      io_,
      [&]() -> asio::awaitable<void> {
        co_await asio::experimental::make_parallel_group(asio::co_spawn(io_, wait, asio::deferred),
                                                         asio::co_spawn(io_, wait, asio::deferred))
            .async_wait(asio::experimental::wait_for_all(), asio::deferred);
      },
      asio::detached);
  settle(io_);
  int roots = 0, branches = 0;
  for (const auto& seen : list_coroutines())
    ++(seen.parent == 0 ? roots : branches);
  EXPECT_EQ(roots, 3);
  EXPECT_EQ(branches, 2);
}

TEST_F(CoroutineOperations, WhatIsSpawnedAfterwardsIsNoBranch) {
  const auto wait = [this]() -> asio::awaitable<void> {
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  };
  asio::co_spawn(io_, wait, asio::detached);
  settle(io_);
  asio::post(io_, [&] { asio::co_spawn(io_, wait, asio::detached); });
  settle(io_);
  for (const auto& seen : list_coroutines())
    EXPECT_EQ(seen.parent, 0U);
}

TEST_F(CoroutineOperations, OnAStrand) {
  asio::co_spawn(
      asio::make_strand(io_),
      [&]() -> asio::awaitable<void> {
        line_ = __LINE__ + 1;
        co_await timer_.async_wait(asio::use_awaitable);
      },
      asio::detached);
  settle(io_);
  const auto seen = the_only_coroutine();
  ASSERT_EQ(seen.frames.size(), 1U);
  EXPECT_EQ(seen.frames[0].line, static_cast<std::uint32_t>(line_));
}

TEST_F(CoroutineOperations, WaitingForItsTurnIsReady) {
  asio::co_spawn(
      io_,
      [&]() -> asio::awaitable<void> {
        co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        line_ = __LINE__ + 1;
        co_await asio::post(asio::use_awaitable);
      },
      asio::detached);
  settle(io_);
  timer_.cancel();
  while (line_ == 0)
    io_.poll_one();
  const auto seen = the_only_coroutine();
  EXPECT_EQ(seen.state, green_thread_state::ready);
  ASSERT_EQ(seen.frames.size(), 1U);
  EXPECT_EQ(seen.frames[0].line, static_cast<std::uint32_t>(line_));
}

}  // namespace
}  // namespace gmr::test
