#include <gtest/gtest.h>
#include <connections.hpp>

#include <thread>

namespace queue_server {
namespace {

using namespace std::chrono_literals;

TEST(connections, lists_those_that_are_there_oldest_first) {
  connections clients(10);
  auto first = clients.add("a", "http", nullptr);
  auto second = clients.add("b", "websocket", nullptr);
  first->now("working", "GET /");
  first->received(5);
  auto found = clients.list(10, 1s);
  ASSERT_EQ(found.shown.size(), 2U);
  EXPECT_EQ(found.shown[0]->peer(), "a");
  EXPECT_STREQ(found.shown[0]->doing(), "working");
  EXPECT_EQ(found.shown[0]->request(), "GET /");
  EXPECT_EQ(found.shown[0]->bytes_in(), 5U);
  first = {};
  EXPECT_EQ(clients.list(10, 1s).shown[0]->peer(), "b");
  EXPECT_EQ(clients.list(0, 1s).total, 1U);
}

TEST(connections, refuses_more_than_it_may_hold) {
  connections clients(1);
  auto first = clients.add("a", "http", nullptr);
  EXPECT_TRUE(first);
  EXPECT_FALSE(clients.add("b", "http", nullptr));
  EXPECT_EQ(clients.refused(), 1U);
  first = {};
  EXPECT_TRUE(clients.add("c", "http", nullptr));
}

TEST(connections, asks_each_to_stop_once_and_takes_no_more) {
  connections clients(10);
  int stops = 0;
  const auto first = clients.add("a", "http", [&stops] { ++stops; });
  clients.stop_all();
  clients.stop_all();
  EXPECT_EQ(stops, 1);
  EXPECT_FALSE(clients.add("b", "http", nullptr));
}

TEST(connections, can_be_listed_while_sessions_come_go_and_work) {
  connections clients(1000);
  std::atomic<bool> done = false;
  std::vector<std::thread> sessions;
  for (int i = 0; i < 4; ++i) {
    sessions.emplace_back([&] {
      while (!done) {
        const auto self = clients.add("peer", "http", nullptr);
        self->now("working", "GET /v2/queues");
        self->sent(1);
      }
    });
  }
  for (int i = 0; i < 1000; ++i) {
    for (const auto& each : clients.list(100, 1s).shown) {
      EXPECT_EQ(each->peer(), "peer");
      const std::string request = each->request();
      EXPECT_TRUE(request.empty() || request == "GET /v2/queues") << request;
    }
  }
  done = true;
  for (auto& each : sessions)
    each.join();
  EXPECT_EQ(clients.count(), 0U);
}

}  // namespace
}  // namespace queue_server
