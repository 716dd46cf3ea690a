#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "served.hpp"

namespace queue_server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const queue_key orders{"project", "orders"};
constexpr claim_terms terms{300, 60};

std::vector<std::string> bodies(const std::vector<message>& messages) {
  std::vector<std::string> found;
  for (const message& each : messages)
    found.push_back(each.body);
  return found;
}

class store_test : public testing::Test {
 protected:
  std::string post(const std::string& body, std::int64_t ttl = 3600, std::int64_t delay = 0,
                   const std::string& client = "me") {
    return server_.data().post(orders, client, {{ttl, delay, body}}).front();
  }
  census counts() { return data_.count_all(10, std::chrono::minutes(1)).value(); }
  std::vector<std::string> visible(message_filter filter = {}) {
    filter.limit = 100;
    return bodies(server_.data().list_messages(orders, filter));
  }

  served server_;
  store& data_ = server_.data();
};

TEST_F(store_test, a_message_is_gone_when_its_time_is_over) {
  const std::string id = post("1", 60);
  server_.pass_seconds(59);
  EXPECT_THAT(visible(), ElementsAre("1"));
  EXPECT_EQ(data_.get_messages(orders, {id}).front().age, 59);
  server_.pass_seconds(1);
  EXPECT_THAT(visible(), IsEmpty());
  EXPECT_THAT(data_.get_messages(orders, {id}), IsEmpty());
  EXPECT_THAT(data_.pop(orders, 20), IsEmpty());
  EXPECT_EQ(data_.stats(orders).total, 0);
}

TEST_F(store_test, a_delayed_message_appears_when_its_delay_is_over) {
  post("1", 3600, 30);
  EXPECT_THAT(visible(), IsEmpty());
  EXPECT_THAT(data_.create_claim(orders, terms, 20, {}).messages, IsEmpty());
  server_.pass_seconds(30);
  EXPECT_THAT(visible(), ElementsAre("1"));
}

TEST_F(store_test, own_messages_are_hidden_on_request) {
  post("1", 3600, 0, "me");
  post("2", 3600, 0, "you");
  message_filter filter;
  filter.not_from = "me";
  EXPECT_THAT(visible(filter), ElementsAre("2"));
}

TEST_F(store_test, an_expired_claim_lets_its_messages_go) {
  post("1");
  const claim held = data_.create_claim(orders, terms, 20, {});
  EXPECT_THAT(bodies(held.messages), ElementsAre("1"));
  EXPECT_THAT(data_.create_claim(orders, terms, 20, {}).messages, IsEmpty());
  server_.pass_seconds(terms.ttl);
  EXPECT_FALSE(data_.get_claim(orders, held.id));
  const claim next = data_.create_claim(orders, terms, 20, {});
  ASSERT_THAT(next.messages, SizeIs(1));
  EXPECT_EQ(next.messages.front().claim_count, 2);
}

// Among the free ones, in the order of posting, at whichever claim it ended.
TEST_F(store_test, what_an_expired_claim_held_is_back_at_its_place) {
  for (const char* body : {"1", "2", "3", "4"})
    post(body);
  const auto held = [this] { return data_.stats(orders).claimed; };
  static_cast<void>(data_.create_claim(orders, {60, 60}, 1, {}));
  static_cast<void>(data_.create_claim(orders, terms, 2, {}));
  EXPECT_EQ(held(), 3);
  EXPECT_THAT(visible(), ElementsAre("4"));
  server_.pass_seconds(60);
  EXPECT_EQ(held(), 2);
  EXPECT_THAT(visible(), ElementsAre("1", "4"));
  message_filter all;
  all.include_claimed = true;
  EXPECT_THAT(visible(all), ElementsAre("1", "2", "3", "4"));
  EXPECT_THAT(bodies(data_.pop(orders, 1)), ElementsAre("1"));
  server_.pass_seconds(terms.ttl);
  EXPECT_EQ(held(), 0);
  EXPECT_THAT(visible(), ElementsAre("2", "3", "4"));
  EXPECT_THAT(bodies(data_.create_claim(orders, terms, 20, {}).messages),
              ElementsAre("2", "3", "4"));
}

TEST_F(store_test, a_claimed_message_outlives_its_claim_and_grace) {
  const std::string id = post("1", 60);
  static_cast<void>(data_.create_claim(orders, terms, 20, {}));
  server_.pass_seconds(terms.ttl + terms.grace - 1);
  ASSERT_THAT(data_.get_messages(orders, {id}), SizeIs(1));
  EXPECT_EQ(data_.get_messages(orders, {id}).front().ttl, terms.ttl + terms.grace);
  server_.pass_seconds(1);
  EXPECT_THAT(data_.get_messages(orders, {id}), IsEmpty());
}

TEST_F(store_test, a_renewed_claim_lives_from_now_on) {
  post("1");
  const claim held = data_.create_claim(orders, terms, 20, {});
  server_.pass_seconds(299);
  EXPECT_TRUE(data_.update_claim(orders, held.id, terms));
  server_.pass_seconds(299);
  EXPECT_THAT(data_.get_claim(orders, held.id)->messages, SizeIs(1));
  server_.pass_seconds(1);
  EXPECT_FALSE(data_.update_claim(orders, held.id, terms));
}

TEST_F(store_test, a_claimed_message_is_deleted_with_its_own_claim_only) {
  const std::string first = post("1");
  const std::string second = post("2");
  const std::string third = post("3");
  const claim mine = data_.create_claim(orders, terms, 1, {});
  const claim other = data_.create_claim(orders, terms, 1, {});
  EXPECT_EQ(data_.delete_message(orders, first, std::nullopt), delete_outcome::claimed);
  EXPECT_EQ(data_.delete_message(orders, first, other.id), delete_outcome::claimed_by_other);
  EXPECT_EQ(data_.delete_message(orders, first, new_id()), delete_outcome::no_such_claim);
  EXPECT_EQ(data_.delete_message(orders, third, mine.id), delete_outcome::not_claimed);
  EXPECT_EQ(data_.delete_message(orders, first, mine.id), delete_outcome::done);
  EXPECT_EQ(data_.delete_message(orders, first, mine.id), delete_outcome::done);  // absent
  EXPECT_THAT(visible(), ElementsAre("3"));
  EXPECT_EQ(data_.delete_message(orders, second, other.id), delete_outcome::done);
}

TEST_F(store_test, nothing_of_a_project_is_in_reach_of_another) {
  const std::string id = post("1");
  const claim held = data_.create_claim(orders, terms, 20, {});
  const queue_key foreign{"another", "orders"};
  static_cast<void>(data_.create_queue(foreign, "{}"));
  EXPECT_THAT(data_.get_messages(foreign, {id}), IsEmpty());
  EXPECT_FALSE(data_.get_claim(foreign, held.id));
  EXPECT_FALSE(data_.update_claim(foreign, held.id, terms));
  data_.delete_claim(foreign, held.id);
  data_.delete_messages(foreign, {id});
  data_.delete_queue(foreign);
  EXPECT_EQ(data_.stats(orders).claimed, 1);
  EXPECT_EQ(data_.count_queues("project"), 1);
}

TEST_F(store_test, a_deleted_queue_takes_everything_with_it) {
  const std::string id = post("1");
  const claim held = data_.create_claim(orders, terms, 20, {});
  data_.delete_queue(orders);
  static_cast<void>(data_.create_queue(orders, "{}"));
  EXPECT_THAT(data_.get_messages(orders, {id}), IsEmpty());
  EXPECT_FALSE(data_.get_claim(orders, held.id));
}

TEST_F(store_test, what_was_in_a_deleted_queue_is_swept_bit_by_bit) {
  for (int i = 0; i < 10; ++i)
    post("1");
  static_cast<void>(data_.create_claim(orders, terms, 1, {}));
  data_.delete_queue(orders);
  post("2");
  EXPECT_EQ(data_.count_queues("project"), 1);
  EXPECT_EQ(counts().queues.size(), 1U);
  int rounds = 0;
  while (data_.sweep(4) > 0)
    ++rounds;
  EXPECT_GE(rounds, 3);
  EXPECT_THAT(visible(), ElementsAre("2"));
}

TEST_F(store_test, a_purged_queue_is_empty_and_keeps_what_it_says) {
  static_cast<void>(data_.create_queue(orders, R"({"owner":"me"})"));
  const std::string id = post("1");
  const claim held = data_.create_claim(orders, terms, 1, {});
  data_.purge_messages(orders);
  EXPECT_EQ(data_.queue_metadata(orders), R"({"owner":"me"})");
  EXPECT_THAT(data_.get_messages(orders, {id}), IsEmpty());
  EXPECT_FALSE(data_.get_claim(orders, held.id));
  EXPECT_EQ(data_.stats(orders).total, 0);
}

TEST_F(store_test, messages_claimed_too_often_go_where_the_queue_says) {
  post("1", 3600);
  const dead_letter_rule rule{2, "dead", 60};
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(data_.create_claim(orders, terms, 5, rule).messages, SizeIs(1));
    server_.pass_seconds(terms.ttl);
  }
  EXPECT_THAT(data_.create_claim(orders, terms, 5, rule).messages, IsEmpty());
  message_filter all;
  all.limit = 10;
  const auto dead = data_.list_messages({"project", "dead"}, all);
  ASSERT_THAT(dead, SizeIs(1));
  EXPECT_EQ(dead.front().ttl, 60);
  server_.pass_seconds(60);
  EXPECT_THAT(data_.list_messages({"project", "dead"}, all), IsEmpty());
}

TEST_F(store_test, without_a_queue_for_them_they_are_deleted) {
  post("1");
  post("2");
  const dead_letter_rule rule{1, "", std::nullopt};
  static_cast<void>(data_.create_claim(orders, {60, 60}, 1, rule));
  server_.pass_seconds(60);
  EXPECT_THAT(bodies(data_.create_claim(orders, terms, 5, rule).messages), ElementsAre("2"));
  EXPECT_EQ(data_.stats(orders).total, 1);
}

// Each way of finding what lives gives the same: by marker past what has expired, and by end.
TEST_F(store_test, what_lives_is_found_among_much_that_has_expired) {
  for (int i = 0; i < 1500; ++i)
    post("dead", 60);
  for (const char* body : {"1", "2", "3"})
    post(body);
  server_.pass_seconds(60);
  EXPECT_THAT(visible(), ElementsAre("1", "2", "3"));
  message_filter all;
  all.include_claimed = true;
  EXPECT_THAT(bodies(data_.create_claim(orders, {60, 60}, 2, {}).messages), ElementsAre("1", "2"));
  EXPECT_THAT(visible(), ElementsAre("3"));
  EXPECT_THAT(visible(all), ElementsAre("1", "2", "3"));
  server_.pass_seconds(60);
  EXPECT_THAT(visible(), ElementsAre("1", "2", "3"));
  EXPECT_THAT(bodies(data_.pop(orders, 5)), ElementsAre("1", "2", "3"));
}

TEST_F(store_test, subscriptions_belong_to_a_queue_and_end) {
  const new_subscription wanted{"http://127.0.0.1/a", 60, "{}", true};
  const auto id = data_.create_subscription(orders, wanted);
  ASSERT_TRUE(id);
  EXPECT_FALSE(data_.create_subscription(orders, wanted)) << "there already";
  EXPECT_FALSE(data_.get_subscription({"another", "orders"}, *id));
  EXPECT_EQ(data_.change_subscription(orders, *id, {"http://127.0.0.1/b", 120, {}}),
            change_outcome::done);
  const auto second = data_.create_subscription(orders, wanted);
  EXPECT_EQ(data_.change_subscription(orders, *second, {"http://127.0.0.1/b", {}, {}}),
            change_outcome::conflict);
  EXPECT_EQ(data_.change_subscription(orders, "none", {}), change_outcome::absent);
  server_.pass_seconds(60);
  ASSERT_THAT(data_.list_subscriptions(orders, "", 10), SizeIs(1));
  EXPECT_EQ(data_.list_subscriptions(orders, "", 10).front().subscriber, "http://127.0.0.1/b");
  data_.purge_subscriptions(orders);
  EXPECT_THAT(data_.list_subscriptions(orders, "", 10), IsEmpty());
}

TEST_F(store_test, an_unconfirmed_subscription_may_be_asked_for_again) {
  const new_subscription wanted{"http://127.0.0.1/a", 60, "{}", false};
  const auto first = data_.create_subscription(orders, wanted);
  const auto again = data_.create_subscription(orders, wanted);
  ASSERT_TRUE(first && again);
  EXPECT_THAT(data_.list_subscriptions(orders, "", 10), SizeIs(1));
  EXPECT_TRUE(data_.confirm_subscription(orders, *again, true));
  EXPECT_FALSE(data_.create_subscription(orders, wanted));
}

TEST_F(store_test, sweeping_removes_what_has_expired_and_nothing_else) {
  for (int i = 0; i < 5; ++i)
    post("1", 60);
  post("2");
  static_cast<void>(data_.create_claim(orders, {60, 60}, 1, {}));
  server_.pass_seconds(121);
  EXPECT_EQ(data_.sweep(3), 4);  // three messages and the claim
  EXPECT_EQ(data_.sweep(100), 2);
  EXPECT_EQ(data_.sweep(100), 0);
  EXPECT_THAT(visible(), ElementsAre("2"));
}

TEST_F(store_test, markers_lead_through_all_messages_once) {
  for (int i = 0; i < 7; ++i)
    post(std::to_string(i));
  message_filter filter;
  filter.limit = 3;
  std::vector<std::string> seen;
  for (auto page = data_.list_messages(orders, filter); !page.empty();
       page = data_.list_messages(orders, filter)) {
    for (const message& each : page)
      seen.push_back(each.body);
    filter.after = page.back().marker;
    if (seen.size() == 3) post("7");
  }
  EXPECT_THAT(seen, ElementsAre("0", "1", "2", "3", "4", "5", "6", "7"));
}

TEST_F(store_test, the_census_counts_what_lives) {
  post("1");
  post("2", 60);
  static_cast<void>(data_.create_claim(orders, {60, 60}, 1, {}));
  static_cast<void>(data_.create_queue({"project", "empty"}, "{}"));
  static_cast<void>(data_.create_subscription(orders, {"http://a", 3600, "{}", true}));
  static_cast<void>(data_.create_subscription(orders, {"http://b", 3600, "{}", false}));
  static_cast<void>(data_.create_subscription(orders, {"http://c", 59, "{}", true}));
  server_.pass_seconds(59);
  const census counted = counts();
  const auto& summary = counted.queues;
  ASSERT_THAT(summary, SizeIs(2));
  EXPECT_EQ(summary[0].queue.name, "orders");
  EXPECT_EQ(summary[0].messages, 2);
  EXPECT_EQ(summary[0].claimed, 1);
  EXPECT_EQ(summary[0].oldest_age, 59);
  EXPECT_EQ(summary[1].oldest_age, std::nullopt);
  ASSERT_THAT(counted.claims, SizeIs(1));
  EXPECT_EQ(counted.claims[0].queue.name, "orders");
  EXPECT_EQ(counted.claims[0].claims, 1);
  EXPECT_EQ(counted.claims[0].messages, 1);
  EXPECT_EQ(counted.claims[0].oldest_age, 59);
  EXPECT_EQ(counted.claims[0].next_end, 1);
  EXPECT_EQ(counted.subscriptions, 2);
  EXPECT_EQ(counted.confirmed_subscriptions, 1);
  EXPECT_EQ(counted.queues_with_subscriptions, 1);
  server_.pass_seconds(1);
  EXPECT_EQ(counts().claims_in_all, 0);
}

// Of claims by queue the largest are shown, and all are counted.
TEST_F(store_test, the_census_shows_no_more_lines_than_asked_for) {
  for (int queue = 0; queue < 3; ++queue) {
    const queue_key key{"project", "q" + std::to_string(queue)};
    static_cast<void>(data_.post(key, "me", std::vector(3, new_message{3600, 0, "1"})));
    for (int claims = 0; claims <= queue; ++claims)
      static_cast<void>(data_.create_claim(key, terms, 1, {}));
  }
  const auto counted = data_.count_all(2, std::chrono::minutes(1));
  ASSERT_TRUE(counted);
  EXPECT_THAT(counted->queues, SizeIs(2));
  ASSERT_THAT(counted->claims, SizeIs(2));
  EXPECT_EQ(counted->claims[0].queue.name, "q2");
  EXPECT_EQ(counted->claims_in_all, 6);
  EXPECT_EQ(counted->claimed_messages_in_all, 6);
}

TEST_F(store_test, counting_ends_when_its_time_is_over) {
  for (int i = 0; i < 2000; ++i)
    post("1");
  EXPECT_FALSE(data_.count_all(10, std::chrono::milliseconds(-1)));
  EXPECT_EQ(counts().queues.front().messages, 2000);
}

TEST(new_id, does_not_repeat) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = new_id();
    EXPECT_EQ(id.size(), 32U);
    EXPECT_TRUE(ids.insert(id).second);
  }
}

}  // namespace
}  // namespace queue_server
