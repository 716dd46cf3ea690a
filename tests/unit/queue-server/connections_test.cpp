#include <gtest/gtest.h>
#include <connections.hpp>

#include <thread>

namespace queue_server {
namespace {

using namespace std::chrono_literals;

TEST(connections, lists_those_that_are_there_oldest_first) {
  connections clients({.most = 10});
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
  connections clients({.most = 1});
  auto first = clients.add("a:1", "websocket", nullptr);
  EXPECT_TRUE(first);
  EXPECT_FALSE(clients.add("b:1", "websocket", nullptr));
  EXPECT_EQ(clients.refused(), 1U);
  first = {};
  EXPECT_TRUE(clients.add("c:1", "websocket", nullptr));
}

TEST(connections, keeps_places_for_those_who_ask_whether_the_server_lives) {
  connections clients({.most = 1});
  auto first = clients.add("a:1", "http", nullptr);
  EXPECT_FALSE(first.crowded());
  std::vector<connections::entry> kept;
  for (std::size_t i = 0; i < connections::places_for_health; ++i) {
    kept.push_back(clients.add("b:1", "http", nullptr));
    EXPECT_TRUE(kept.back() && kept.back().crowded());
  }
  EXPECT_FALSE(clients.add("c:1", "http", nullptr));
  first = {};
  EXPECT_FALSE(clients.add("d:1", "http", nullptr).crowded())
      << "those who ask take no other places";
}

TEST(connections, neither_port_locks_out_the_other) {
  connections clients({.most = 4, .per_protocol = {{"http", 3}, {"websocket", 2}}});
  const auto first = clients.add("a:1", "websocket", nullptr);
  const auto second = clients.add("a:2", "websocket", nullptr);
  EXPECT_FALSE(clients.add("a:3", "websocket", nullptr));
  EXPECT_FALSE(clients.add("a:4", "http", nullptr).crowded());
}

TEST(connections, no_address_takes_all_places) {
  connections clients({.most = 10, .per_address = 2});
  auto first = clients.add("[::1]:1", "websocket", nullptr);
  const auto second = clients.add("[::1]:2", "websocket", nullptr);
  EXPECT_FALSE(clients.add("[::1]:3", "websocket", nullptr));
  EXPECT_TRUE(clients.add("127.0.0.1:4", "websocket", nullptr));
  first = {};
  EXPECT_TRUE(clients.add("[::1]:5", "websocket", nullptr));
}

TEST(connections, asks_each_to_stop_once_and_takes_no_more) {
  connections clients({.most = 10});
  int stops = 0;
  const auto first = clients.add("a", "http", [&stops] { ++stops; });
  clients.stop_all();
  clients.stop_all();
  EXPECT_EQ(stops, 1);
  EXPECT_FALSE(clients.add("b", "http", nullptr));
}

TEST(connections, can_be_listed_while_sessions_come_go_and_work) {
  connections clients({.most = 1000});
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
