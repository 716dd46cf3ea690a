// Operations that no green thread waits for: those of a service in callback style.
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coroutine_run.hpp"
#include "gmr/reporter.hpp"
#include "operation_listing.hpp"

namespace gmr::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

std::uint64_t nanoseconds(std::chrono::steady_clock::time_point time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

// A server that knows nothing of green threads.
class callback_server {
 public:
  callback_server(asio::io_context& io, std::size_t clients)
      : acceptor_{io, {asio::ip::address_v4::loopback(), 0}}, ticks_{io, 1h} {
    for (std::size_t at = 0; at < clients; ++at) {
      tcp::socket& client = clients_.emplace_back(io);
      client.connect(acceptor_.local_endpoint());
      tcp::socket& session = sessions_.emplace_back(io);
      acceptor_.accept(session);
      session.async_read_some(asio::buffer(buffer_), [](error_code, std::size_t) {});
    }
    acceptor_.async_accept([](error_code, const tcp::socket&) {});
    ticks_.async_wait([](error_code) {});
  }

  std::list<tcp::socket> clients_;
  std::list<tcp::socket> sessions_;
  tcp::acceptor acceptor_;
  asio::steady_timer ticks_;
  std::array<char, 64> buffer_{};
};

class CallbackOperations : public testing::Test {
 protected:
  template <typename Body>
  void start(Body body) {
    asio::co_spawn(io_, std::move(body), asio::detached);
    settle(io_);
  }

  void TearDown() override {
    timer_.cancel();
    settle(io_);
  }

  asio::io_context io_;
  asio::steady_timer timer_{io_, 1h};
};

TEST_F(CallbackOperations, OfAServiceInCallbackStyleAreListed) {
  const std::uint64_t before = nanoseconds(std::chrono::steady_clock::now());
  callback_server server{io_, 3};
  settle(io_);
  std::map<std::string_view, std::vector<trace::unowned_operation>> found;
  for (const trace::unowned_operation& each : unowned_operations()) {
    EXPECT_EQ(each.context, &io_);
    EXPECT_FALSE(each.operation.ready);
    found[each.operation.kind].push_back(each);
  }
  ASSERT_EQ(found.size(), 3U);
  ASSERT_EQ(found["read"].size(), 3U);
  ASSERT_EQ(found["accept"].size(), 1U);
  ASSERT_EQ(found["timer"].size(), 1U);
  EXPECT_EQ(found["accept"][0].operation.descriptor, server.acceptor_.native_handle());
  std::set<int> sockets;
  for (const trace::unowned_operation& each : found["read"])
    sockets.insert(each.operation.descriptor);
  for (tcp::socket& session : server.sessions_)
    EXPECT_TRUE(sockets.contains(session.native_handle()));
  constexpr std::uint64_t coarse = 20'000'000;
  EXPECT_GE(found["read"][0].begun + coarse, before);
  EXPECT_LE(found["read"][0].begun, nanoseconds(std::chrono::steady_clock::now()));
  EXPECT_EQ(found["timer"][0].operation.expires_at, nanoseconds(server.ticks_.expiry()));

  asio::write(server.clients_.front(), asio::buffer("x", 1));
  EXPECT_EQ(std::ranges::count_if(unowned_operations(),
                                  [](const auto& each) { return each.operation.ready; }),
            1)
      << "the loop has not looked yet";
}

TEST_F(CallbackOperations, HaveTheirSectionInAReport) {
  callback_server server{io_, 3};
  settle(io_);
  reporter reports{package{.name = "callbacks", .version = "1"}, settings{}};
  const report made = reports.make();
  std::vector<std::string> found;
  for (const operation_group& each : made.operations)
    found.push_back(std::to_string(each.count) + " " + each.kind);
  EXPECT_THAT(found, testing::UnorderedElementsAre("3 read", "1 accept", "1 timer"))
      << "and none of the reporter's own";
  const std::string text = to_text(made);
  EXPECT_THAT(text, testing::HasSubstr("5 operations that no green thread waits for\n"));
  const std::string port = std::to_string(server.acceptor_.local_endpoint().port());
  EXPECT_THAT(text, testing::HasSubstr("(tcp 127.0.0.1:" + port + " - 127.0.0.1:"));
  EXPECT_THAT(text, testing::HasSubstr("(tcp 127.0.0.1:" + port + " listening), 0 of at most "));
  EXPECT_THAT(text, testing::HasSubstr("  still for 59 min"));
}

TEST_F(CallbackOperations, ThatAGreenThreadWaitsForAreNotListed) {
  start([&]() -> asio::awaitable<void> { co_await timer_.async_wait(quietly); });
  EXPECT_TRUE(unowned_operations().empty());
}

TEST_F(CallbackOperations, ThatACoroutineHasBegunAndDoesNotWaitForAreListed) {
  tcp::acceptor acceptor{io_, {asio::ip::address_v4::loopback(), 0}};
  start([&]() -> asio::awaitable<void> {
    acceptor.async_accept([](error_code, const tcp::socket&) {});
    co_await timer_.async_wait(quietly);
  });
  const auto found = unowned_operations();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].operation.kind, "accept");
  acceptor.close();
  settle(io_);
}

}  // namespace
}  // namespace gmr::test
