// Subscriptions: who is told of the messages of a queue.
#include "storage/sqlite/store.hpp"

namespace queue_server {

namespace {

subscription read_subscription(const sqlite::query& row, std::int64_t now) {
  subscription read;
  read.id = row.text(0);
  read.source = row.text(1);
  read.subscriber = row.text(2);
  read.ttl = row.integer(3);
  read.age = (now - row.integer(4)) / milliseconds_a_second;
  read.options = row.text(5);
  read.confirmed = row.integer(6) != 0;
  return read;
}

}  // namespace

#define QUEUE_SERVER_SUBSCRIPTION \
  "SELECT id, queue, subscriber, ttl, created, options, confirmed FROM subscriptions "

std::optional<std::string> store::create_subscription(const queue_key& key,
                                                      const new_subscription& made) {
  look_at_clock();
  // What has expired is as good as gone, and an unconfirmed one may be asked for again.
  database_.run(
      "DELETE FROM subscriptions WHERE project = ?1 AND queue = ?2 AND subscriber = ?3 "
      "AND (expires <= ?4 OR confirmed = 0)",
      key.project, key.name, made.subscriber, now_);
  std::string id = new_id();
  database_.run(
      "INSERT INTO subscriptions (id, project, queue, subscriber, ttl, created, expires, options, "
      "confirmed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
      id, key.project, key.name, made.subscriber, made.ttl, now_,
      now_ + made.ttl * milliseconds_a_second, made.options, std::int64_t{made.confirmed});
  if (database_.changes() == 0) return std::nullopt;
  return id;
}

std::vector<subscription> store::list_subscriptions(const queue_key& key, const std::string& after,
                                                    std::int64_t limit) {
  look_at_clock();
  auto rows = database_.prepare(QUEUE_SERVER_SUBSCRIPTION
                                "WHERE project = ?1 AND queue = ?2 AND id > ?3 AND expires > ?4 "
                                "ORDER BY id LIMIT ?5",
                                key.project, key.name, after, now_, limit);
  std::vector<subscription> found;
  while (rows.step())
    found.push_back(read_subscription(rows, now_));
  return found;
}

std::optional<subscription> store::get_subscription(const queue_key& key, const std::string& id) {
  look_at_clock();
  auto row = database_.prepare(QUEUE_SERVER_SUBSCRIPTION
                               "WHERE project = ?1 AND queue = ?2 AND id = ?3 AND expires > ?4",
                               key.project, key.name, id, now_);
  if (!row.step()) return std::nullopt;
  return read_subscription(row, now_);
}

change_outcome store::change_subscription(const queue_key& key, const std::string& id,
                                          const subscription_change& change) {
  const auto found = get_subscription(key, id);
  if (!found) return change_outcome::absent;
  const std::int64_t ttl = change.ttl.value_or(found->ttl);
  // As with claims, age starts again when the time to live is set.
  database_.run(
      "UPDATE OR IGNORE subscriptions SET subscriber = ?2, options = ?3, ttl = ?4, "
      "created = CASE WHEN ?5 THEN ?6 ELSE created END, "
      "expires = CASE WHEN ?5 THEN ?7 ELSE expires END WHERE id = ?1",
      id, change.subscriber.value_or(found->subscriber), change.options.value_or(found->options),
      ttl, std::int64_t{change.ttl.has_value()}, now_, now_ + ttl * milliseconds_a_second);
  return database_.changes() > 0 ? change_outcome::done : change_outcome::conflict;
}

bool store::confirm_subscription(const queue_key& key, const std::string& id, bool confirmed) {
  if (!get_subscription(key, id)) return false;
  database_.run("UPDATE subscriptions SET confirmed = ?2 WHERE id = ?1", id,
                std::int64_t{confirmed});
  return true;
}

void store::delete_subscription(const queue_key& key, const std::string& id) {
  database_.run("DELETE FROM subscriptions WHERE project = ?1 AND queue = ?2 AND id = ?3",
                key.project, key.name, id);
}

void store::purge_subscriptions(const queue_key& key) {
  database_.run("DELETE FROM subscriptions WHERE project = ?1 AND queue = ?2", key.project,
                key.name);
}

void store::forget_subscribers(const std::string& beginning) {
  database_.run("DELETE FROM subscriptions WHERE substr(subscriber, 1, length(?1)) = ?1",
                beginning);
}

#undef QUEUE_SERVER_SUBSCRIPTION

}  // namespace queue_server
