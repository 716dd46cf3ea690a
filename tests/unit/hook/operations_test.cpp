// What gmr::trace_ops knows of the operations that coroutines wait for.
#include <gmock/gmock.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/system_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "coroutine_run.hpp"
#include "hook/operations/operation_pool.hpp"
#include "operation_listing.hpp"

namespace gmr::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

std::uint64_t ns(std::chrono::steady_clock::time_point time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

class Operations : public testing::Test {
 protected:
  Operations() {
    tcp::acceptor acceptor{io_, {asio::ip::address_v4::loopback(), 0}};
    client_.connect(acceptor.local_endpoint());
    acceptor.accept(server_);
  }

  template <typename Body>
  void start(Body body) {
    asio::co_spawn(io_, std::move(body), asio::detached);
    settle(io_);
  }

  void TearDown() override {
    client_.close();
    server_.close();
    for (int waits = 0; waits < 2; ++waits) {
      settle(io_);
      timer_.cancel();
    }
    settle(io_);
    EXPECT_TRUE(list_waits().empty());
  }

  asio::io_context io_;
  asio::steady_timer timer_{io_, 1h};
  tcp::socket client_{io_};
  tcp::socket server_{io_};
  std::array<char, 64> buffer_{};
};

TEST_F(Operations, AReadHasItsDescriptor) {
  start([&]() -> asio::awaitable<void> {
    co_await server_.async_read_some(asio::buffer(buffer_), quietly);
  });
  const listed_wait seen = the_only_wait();
  EXPECT_EQ(seen.state, green_thread_state::suspended);
  EXPECT_EQ(seen.waits_for, "read");
  ASSERT_EQ(seen.operations.size(), 1U);
  EXPECT_EQ(seen.operations[0].kind, "read");
  EXPECT_EQ(seen.operations[0].descriptor, server_.native_handle());
  EXPECT_FALSE(seen.operations[0].ready);
}

// The loop has not looked yet: what was waited for is there all the same.
TEST_F(Operations, AReadIsReadyOnceThereIsSomethingToRead) {
  start([&]() -> asio::awaitable<void> {
    co_await server_.async_read_some(asio::buffer(buffer_), quietly);
  });
  asio::write(client_, asio::buffer("x", 1));
  EXPECT_EQ(the_only_wait().state, green_thread_state::ready);
  ASSERT_TRUE(load_of(&io_));
  EXPECT_EQ(load_of(&io_)->queued, 1U);
}

TEST_F(Operations, AComposedReadHasTheDescriptorInEachOfItsSteps) {
  start([&]() -> asio::awaitable<void> {
    asio::streambuf line;
    co_await asio::async_read_until(server_, line, '\n', quietly);
  });
  for (const char* part : {"a", "b"}) {
    const listed_wait seen = the_only_wait();
    ASSERT_EQ(seen.operations.size(), 1U);
    EXPECT_EQ(seen.operations[0].descriptor, server_.native_handle());
    asio::write(client_, asio::buffer(part, 1));
    settle(io_);
  }
}

TEST_F(Operations, AnAcceptHasTheDescriptorOfTheListeningSocket) {
  tcp::acceptor acceptor{io_, {asio::ip::address_v4::loopback(), 0}};
  start([&]() -> asio::awaitable<void> { co_await acceptor.async_accept(quietly); });
  const listed_wait seen = the_only_wait();
  EXPECT_EQ(seen.waits_for, "accept");
  ASSERT_EQ(seen.operations.size(), 1U);
  EXPECT_EQ(seen.operations[0].descriptor, acceptor.native_handle());
  EXPECT_EQ(seen.state, green_thread_state::suspended);
}

TEST_F(Operations, AConnectIsReadyWhenTheOtherSideHasAnswered) {
  tcp::acceptor acceptor{io_, {asio::ip::address_v4::loopback(), 0}};
  tcp::socket socket{io_};
  asio::co_spawn(
      io_,
      [&]() -> asio::awaitable<void> {
        co_await socket.async_connect(acceptor.local_endpoint(), quietly);
      },
      asio::detached);
  io_.run_one();
  const listed_wait seen = the_only_wait();
  EXPECT_EQ(seen.waits_for, "connect");
  ASSERT_EQ(seen.operations.size(), 1U);
  EXPECT_EQ(seen.operations[0].descriptor, socket.native_handle());
  EXPECT_EQ(seen.state, green_thread_state::ready);
}

TEST_F(Operations, ATimerHasItsExpiry) {
  start([&]() -> asio::awaitable<void> { co_await timer_.async_wait(quietly); });
  const listed_wait seen = the_only_wait();
  EXPECT_EQ(seen.state, green_thread_state::suspended);
  ASSERT_EQ(seen.operations.size(), 1U);
  EXPECT_EQ(seen.operations[0].kind, "timer");
  EXPECT_EQ(seen.operations[0].expires_at, ns(timer_.expiry()));
  EXPECT_EQ(seen.operations[0].descriptor, -1);
}

TEST_F(Operations, ATimerOfAnotherClockHasItsExpiryToo) {
  asio::system_timer timer{io_, 1h};
  start([&]() -> asio::awaitable<void> { co_await timer.async_wait(quietly); });
  const listed_wait seen = the_only_wait();
  ASSERT_EQ(seen.operations.size(), 1U);
  const double away = static_cast<double>(seen.operations[0].expires_at) -
                      static_cast<double>(ns(std::chrono::steady_clock::now() + 1h));
  EXPECT_LT(std::abs(away), 60e9);
  timer.cancel();
}

TEST_F(Operations, ATimerThatNeverExpiresHasNone) {
  timer_.expires_at(asio::steady_timer::time_point::max());
  start([&]() -> asio::awaitable<void> { co_await timer_.async_wait(quietly); });
  const listed_wait seen = the_only_wait();
  ASSERT_EQ(seen.operations.size(), 1U);
  EXPECT_EQ(seen.operations[0].expires_at, 0U);
  EXPECT_EQ(seen.state, green_thread_state::suspended);
}

TEST_F(Operations, AnOverdueTimerIsReady) {
  asio::co_spawn(
      io_,
      [&]() -> asio::awaitable<void> {
        timer_.expires_after(1ms);
        co_await timer_.async_wait(quietly);
      },
      asio::detached);
  io_.run_one();  // to the wait, and no further however long that took
  while (std::chrono::steady_clock::now() <= timer_.expiry()) {
  }
  EXPECT_EQ(the_only_wait().state, green_thread_state::ready);
}

TEST_F(Operations, WhatWasPostedIsReady) {
  asio::co_spawn(
      io_,
      [&]() -> asio::awaitable<void> {
        co_await asio::post(io_, asio::use_awaitable);
        co_await timer_.async_wait(quietly);
      },
      asio::detached);
  io_.run_one();
  const listed_wait seen = the_only_wait();
  EXPECT_EQ(seen.state, green_thread_state::ready);
  EXPECT_EQ(seen.waits_for, "post");
  settle(io_);
  EXPECT_EQ(the_only_wait().state, green_thread_state::suspended);
}

TEST_F(Operations, OneWaitsForASignal) {
  asio::signal_set signals{io_, SIGUSR1};
  start([&]() -> asio::awaitable<void> { co_await signals.async_wait(quietly); });
  const listed_wait seen = the_only_wait();
  ASSERT_EQ(seen.operations.size(), 1U);
  EXPECT_EQ(seen.operations[0].kind, "signal");
  signals.cancel();
}

TEST_F(Operations, OneWaitsForAChannel) {
  asio::experimental::channel<void(error_code, int)> channel{io_, 0};
  start([&]() -> asio::awaitable<void> { co_await channel.async_receive(quietly); });
  const listed_wait seen = the_only_wait();
  ASSERT_EQ(seen.operations.size(), 1U);
  EXPECT_EQ(seen.operations[0].kind, "channel receive");
  EXPECT_EQ(seen.state, green_thread_state::suspended);
  EXPECT_TRUE(channel.try_send(error_code{}, 1));
  EXPECT_EQ(the_only_wait().state, green_thread_state::ready);
  channel.close();
}

// Two coroutines, one of which is woken inside the other's operation: each keeps its own.
TEST_F(Operations, AnOperationThatIsStartedInsideAnotherOneIsItsOwners) {
  asio::experimental::channel<void(error_code, int)> channel{io_, 0};
  start([&]() -> asio::awaitable<void> {
    co_await channel.async_receive(quietly);
    co_await timer_.async_wait(quietly);
  });
  asio::co_spawn(
      io_,
      [&]() -> asio::awaitable<void> {
        co_await channel.async_send(error_code{}, 1, quietly);
        co_await server_.async_read_some(asio::buffer(buffer_), quietly);
      },
      asio::detached);
  settle(io_);
  const auto seen = list_waits();
  ASSERT_EQ(seen.size(), 2U);
  for (const listed_wait& each : seen) {
    ASSERT_EQ(each.operations.size(), 1U) << each.waits_for;
    EXPECT_EQ(each.operations[0].kind, each.waits_for);
  }
}

TEST_F(Operations, AllOperationsOfAParallelGroupAreListed) {
  start([&]() -> asio::awaitable<void> {
    co_await asio::experimental::make_parallel_group(
        server_.async_read_some(asio::buffer(buffer_), asio::deferred),
        timer_.async_wait(asio::deferred))
        .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  });
  const listed_wait seen = the_only_wait();
  EXPECT_EQ(seen.waits_for, "parallel group");
  ASSERT_EQ(seen.operations.size(), 2U);
  EXPECT_EQ(seen.operations[0].descriptor, server_.native_handle());
  EXPECT_EQ(seen.operations[1].expires_at, ns(timer_.expiry()));
}

TEST_F(Operations, EachBranchHasItsOwnOperation) {
  using namespace asio::experimental::awaitable_operators;
  start([&]() -> asio::awaitable<void> {
    co_await (server_.async_read_some(asio::buffer(buffer_), asio::use_awaitable) ||
              timer_.async_wait(asio::use_awaitable));
  });
  const auto seen = list_waits();
  ASSERT_EQ(seen.size(), 3U);
  int described = 0;
  for (const listed_wait& each : seen) {
    if (each.operations.empty()) continue;
    ASSERT_EQ(each.operations.size(), 1U);
    EXPECT_EQ(each.operations[0].kind, each.waits_for);
    ++described;
  }
  EXPECT_EQ(described, 2);
}

TEST_F(Operations, WhatIsInAStrandIsReady) {
  const auto strand = asio::make_strand(io_);
  asio::co_spawn(
      io_,
      [&]() -> asio::awaitable<void> {
        co_await asio::post(strand, asio::use_awaitable);
        co_await timer_.async_wait(quietly);
      },
      asio::detached);
  io_.run_one();
  const listed_wait seen = the_only_wait();
  EXPECT_EQ(seen.state, green_thread_state::ready);
  EXPECT_FALSE(seen.operations.empty());
}

TEST_F(Operations, ACancelledReadIsReadyAndHasNoDescriptor) {
  start([&]() -> asio::awaitable<void> {
    co_await server_.async_read_some(asio::buffer(buffer_), quietly);
    co_await timer_.async_wait(quietly);
  });
  server_.cancel();
  const listed_wait seen = the_only_wait();
  EXPECT_EQ(seen.state, green_thread_state::ready);
  ASSERT_EQ(seen.operations.size(), 1U);
  EXPECT_EQ(seen.operations[0].descriptor, -1);
}

// The number of a closed descriptor soon is another's, while the read is still to be told.
TEST_F(Operations, AClosedDescriptorIsNotTakenForItsSuccessor) {
  start([&]() -> asio::awaitable<void> {
    co_await server_.async_read_some(asio::buffer(buffer_), quietly);
  });
  const int number = server_.native_handle();
  server_.close();
  std::vector<tcp::socket> others;
  do
    others.emplace_back(io_, tcp::v4());
  while (others.back().native_handle() != number);
  const listed_wait seen = the_only_wait();
  EXPECT_EQ(seen.state, green_thread_state::ready);
  ASSERT_EQ(seen.operations.size(), 1U);
  EXPECT_EQ(seen.operations[0].descriptor, -1);
}

TEST_F(Operations, WhatACoroutineDoesNotAwaitIsNotItsWait) {
  std::array<char, 64> other{};
  start([&]() -> asio::awaitable<void> {
    server_.async_read_some(asio::buffer(other), asio::detached);
    co_await timer_.async_wait(quietly);
  });
  const listed_wait seen = the_only_wait();
  ASSERT_EQ(seen.operations.size(), 1U);
  EXPECT_EQ(seen.operations[0].kind, "timer");
}

TEST_F(Operations, ABlockedLoopHasAQueueAndADelay) {
  constexpr std::uint64_t posted = 100;
  std::promise<pid_t> blocks;
  std::promise<void> go_on;
  asio::post(io_, [&] {
    blocks.set_value(::gettid());
    go_on.get_future().wait();
  });
  std::thread runner{[&] {
    io_.restart();
    io_.run();
  }};
  const pid_t blocked = blocks.get_future().get();
  for (std::uint64_t i = 0; i < posted; ++i)
    asio::post(io_, [] {});
  const auto then = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - then < 50ms) {
  }
  const auto load = load_of(&io_);
  go_on.set_value();
  runner.join();
  ASSERT_TRUE(load);
  EXPECT_EQ(load->queued, posted);
  EXPECT_EQ(load->pending, 0U);
  EXPECT_THAT(load->threads, testing::Contains(blocked));
  EXPECT_LE(load->oldest, ns(then));
  EXPECT_FALSE(load_of(&io_));
}

TEST_F(Operations, RecordsAreUsedAgain) {
  const auto turns = [&](int count) {
    start([&, count]() -> asio::awaitable<void> {
      for (int i = 0; i < count; ++i)
        co_await asio::post(io_, asio::use_awaitable);
    });
  };
  turns(10);
  const std::size_t used = trace::operation_record_count();
  turns(10'000);
  EXPECT_EQ(trace::operation_record_count(), used);
}

}  // namespace
}  // namespace gmr::test
