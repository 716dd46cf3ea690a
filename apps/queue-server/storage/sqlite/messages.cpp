// Messages: posted, listed, fetched, deleted, popped.
#include "storage/sqlite/store.hpp"

namespace queue_server {

// What read_message() reads, in its order.
#define QUEUE_SERVER_MESSAGE_COLUMNS \
  "id, marker, ttl, created, body, claim, claim_expires, claim_count"

// Which messages a filter lets through, claims apart.
#define QUEUE_SERVER_FILTER                                                       \
  "queue = ?1 AND marker > ?2 AND expires > ?3 AND (?4 IS NULL OR client <> ?4) " \
  "AND (?5 OR visible <= ?3) "

constexpr char all_messages[] =
    "SELECT " QUEUE_SERVER_MESSAGE_COLUMNS " FROM messages WHERE " QUEUE_SERVER_FILTER
    "ORDER BY marker LIMIT ?6";
// Those that are held are not even looked at, which is what makes a long queue of them cheap.
constexpr char unclaimed_messages[] =
    "SELECT " QUEUE_SERVER_MESSAGE_COLUMNS
    " FROM messages INDEXED BY messages_free WHERE claim_expires = 0 AND " QUEUE_SERVER_FILTER
    "UNION ALL SELECT " QUEUE_SERVER_MESSAGE_COLUMNS
    " FROM messages INDEXED BY messages_held "
    "WHERE claim_expires > 0 AND claim_expires <= ?3 AND " QUEUE_SERVER_FILTER
    "ORDER BY marker LIMIT ?6";

// Where most has expired, what lives is found by its end and then sorted.
constexpr char all_messages_by_end[] =
    "SELECT " QUEUE_SERVER_MESSAGE_COLUMNS
    " FROM messages INDEXED BY messages_of_queue_by_end WHERE " QUEUE_SERVER_FILTER
    "ORDER BY marker LIMIT ?6";
constexpr char unclaimed_messages_by_end[] =
    "SELECT " QUEUE_SERVER_MESSAGE_COLUMNS
    " FROM messages INDEXED BY messages_of_queue_by_end "
    "WHERE claim_expires <= ?3 AND " QUEUE_SERVER_FILTER "ORDER BY marker LIMIT ?6";

// How many rows are looked at in passing, and how many are sorted at most instead.
constexpr std::int64_t many_expired = 1000;
constexpr std::int64_t few_alive = 20000;
constexpr std::int64_t many_freed = 2000;

message store::read_message(const sqlite::query& row) const {
  message read;
  read.id = row.text(0);
  read.marker = row.integer(1);
  read.ttl = row.integer(2);
  read.created = row.integer(3);
  read.age = (now_ - read.created) / milliseconds_a_second;
  read.created += clock_->to_calendar();
  read.body = row.text(4);
  if (!row.is_null(5) && row.integer(6) > now_) read.claim_id = row.text(5);
  read.claim_count = row.integer(7);
  return read;
}

std::int64_t store::made_queue_id(const queue_key& key) {
  if (const auto found = queue_id(key)) return *found;
  database_.run("INSERT INTO queues (project, name, metadata, created) VALUES (?1, ?2, '{}', ?3)",
                key.project, key.name, now_);
  return database_.last_row_id();
}

std::vector<std::string> store::post(const queue_key& key, const std::string& client,
                                     const std::vector<new_message>& messages) {
  look_at_clock();
  const std::int64_t queue = made_queue_id(key);
  std::vector<std::string> ids;
  ids.reserve(messages.size());
  for (const new_message& posted : messages) {
    ids.push_back(new_id());
    database_.run(
        "INSERT INTO messages (queue, id, client, body, ttl, created, visible, expires) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        queue, ids.back(), client, posted.body, posted.ttl, now_,
        now_ + posted.delay * milliseconds_a_second, now_ + posted.ttl * milliseconds_a_second);
  }
  return ids;
}

bool store::mostly_expired(std::int64_t queue) {
  const auto count = [&](std::string_view sql, std::int64_t most) {
    auto row = database_.prepare(sql, queue, now_, most);
    return row.step() ? row.integer(0) : 0;
  };
  return count(
             "SELECT count(*) FROM (SELECT 1 FROM messages INDEXED BY messages_of_queue_by_end "
             "WHERE queue = ?1 AND expires <= ?2 LIMIT ?3)",
             many_expired) == many_expired &&
         count(
             "SELECT count(*) FROM (SELECT 1 FROM messages INDEXED BY messages_of_queue_by_end "
             "WHERE queue = ?1 AND expires > ?2 LIMIT ?3)",
             few_alive) < few_alive;
}

std::vector<message> store::list_messages(const queue_key& key, const message_filter& filter) {
  look_at_clock();
  std::vector<message> found;
  const auto queue = queue_id(key);
  if (!queue) return found;
  const bool by_end = mostly_expired(*queue);
  const char* by_marker = filter.include_claimed ? all_messages : unclaimed_messages;
  const char* sorted = filter.include_claimed ? all_messages_by_end : unclaimed_messages_by_end;
  auto rows =
      database_.prepare(by_end ? sorted : by_marker, *queue, filter.after, now_, filter.not_from,
                        std::int64_t{filter.include_delayed}, filter.limit);
  while (rows.step())
    found.push_back(read_message(rows));
  return found;
}

std::vector<message> store::get_messages(const queue_key& key,
                                         const std::vector<std::string>& ids) {
  look_at_clock();
  std::vector<message> found;
  const auto queue = queue_id(key);
  if (!queue) return found;
  for (const std::string& id : ids) {
    auto row = database_.prepare("SELECT " QUEUE_SERVER_MESSAGE_COLUMNS
                                 " FROM messages WHERE id = ?1 AND queue = ?2 AND expires > ?3",
                                 id, *queue, now_);
    if (row.step()) found.push_back(read_message(row));
  }
  return found;
}

delete_outcome store::delete_message(const queue_key& key, const std::string& id,
                                     const std::optional<std::string>& claim_id) {
  const auto found = get_messages(key, {id});
  if (found.empty()) return delete_outcome::done;
  const auto& holder = found.front().claim_id;
  if (!claim_id) {
    if (holder) return delete_outcome::claimed;
  } else if (!claim_lives(*queue_id(key), *claim_id)) {
    return delete_outcome::no_such_claim;
  } else if (!holder) {
    return delete_outcome::not_claimed;
  } else if (*holder != *claim_id) {
    return delete_outcome::claimed_by_other;
  }
  database_.run("DELETE FROM messages WHERE marker = ?1", found.front().marker);
  return delete_outcome::done;
}

void store::delete_messages(const queue_key& key, const std::vector<std::string>& ids) {
  const auto queue = queue_id(key);
  if (!queue) return;
  for (const std::string& id : ids) {
    database_.run("DELETE FROM messages WHERE id = ?1 AND queue = ?2", id, *queue);
  }
}

std::vector<message> store::free_messages(std::int64_t queue, std::int64_t limit) {
  // Those that an expired claim held are free again. A bound, as others wait: the rest is for the
  // next call.
  database_.run(
      "UPDATE messages SET claim = NULL, claim_expires = 0 WHERE marker IN "
      "(SELECT marker FROM messages INDEXED BY messages_held "
      "WHERE queue = ?1 AND claim_expires > 0 AND claim_expires <= ?2 LIMIT ?3)",
      queue, now_, many_freed);
  auto rows = mostly_expired(queue)
                  ? database_.prepare("SELECT " QUEUE_SERVER_MESSAGE_COLUMNS
                                      " FROM messages INDEXED BY messages_of_queue_by_end "
                                      "WHERE queue = ?1 AND claim_expires = 0 AND expires > ?2 "
                                      "AND visible <= ?2 ORDER BY marker LIMIT ?3",
                                      queue, now_, limit)
                  : database_.prepare("SELECT " QUEUE_SERVER_MESSAGE_COLUMNS
                                      " FROM messages INDEXED BY messages_free WHERE queue = ?1 "
                                      "AND claim_expires = 0 AND expires > ?2 AND visible <= ?2 "
                                      "ORDER BY marker LIMIT ?3",
                                      queue, now_, limit);
  std::vector<message> found;
  while (rows.step())
    found.push_back(read_message(rows));
  return found;
}

std::vector<message> store::claimed_messages(const std::string& claim_id) {
  auto rows = database_.prepare("SELECT " QUEUE_SERVER_MESSAGE_COLUMNS
                                " FROM messages WHERE claim = ?1 AND claim_expires > ?2 "
                                "AND expires > ?2 ORDER BY marker",
                                claim_id, now_);
  std::vector<message> found;
  while (rows.step())
    found.push_back(read_message(rows));
  return found;
}

std::optional<message> store::end_of(std::int64_t queue, bool newest) {
  auto row =
      newest ? database_.prepare(
                   "SELECT " QUEUE_SERVER_MESSAGE_COLUMNS
                   " FROM messages INDEXED BY messages_of_queue WHERE queue = ?1 AND expires > ?2 "
                   "ORDER BY marker DESC LIMIT 1",
                   queue, now_)
             : database_.prepare(
                   "SELECT " QUEUE_SERVER_MESSAGE_COLUMNS
                   " FROM messages INDEXED BY messages_of_queue WHERE queue = ?1 AND expires > ?2 "
                   "ORDER BY marker LIMIT 1",
                   queue, now_);
  if (!row.step()) return std::nullopt;
  return read_message(row);
}

std::vector<message> store::pop(const queue_key& key, std::int64_t limit) {
  look_at_clock();
  const auto queue = queue_id(key);
  if (!queue) return {};
  std::vector<message> popped = free_messages(*queue, limit);
  for (const message& gone : popped) {
    database_.run("DELETE FROM messages WHERE marker = ?1", gone.marker);
  }
  return popped;
}

#undef QUEUE_SERVER_FILTER
#undef QUEUE_SERVER_MESSAGE_COLUMNS

}  // namespace queue_server
