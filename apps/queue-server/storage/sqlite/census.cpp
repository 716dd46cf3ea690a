// What is there in all, for reports.
#include <sqlite3.h>

#include "storage/sqlite/store.hpp"

namespace queue_server {

std::vector<queue_summary> store::count_queues_and_messages(std::int64_t limit) {
  auto rows = database_.prepare(
      "SELECT q.project, q.name, "
      "(SELECT count(*) FROM messages WHERE queue = q.id AND expires > ?1), "
      "(SELECT count(*) FROM messages INDEXED BY messages_held "
      "WHERE queue = q.id AND claim_expires > 0 AND claim_expires > ?1), "
      "(SELECT created FROM messages INDEXED BY messages_of_queue "
      "WHERE queue = q.id AND expires > ?1 ORDER BY marker LIMIT 1) "
      "FROM queues q WHERE project <> '' ORDER BY 3 DESC, 1, 2 LIMIT ?2",
      now_, limit);
  std::vector<queue_summary> found;
  while (rows.step()) {
    queue_summary& entry = found.emplace_back();
    entry.queue = {rows.text(0), rows.text(1)};
    entry.messages = rows.integer(2);
    entry.claimed = rows.integer(3);
    if (!rows.is_null(4)) entry.oldest_age = (now_ - rows.integer(4)) / milliseconds_a_second;
  }
  return found;
}

void store::count_claims(census& into, std::int64_t limit) {
  // By the messages they hold: a claim whose messages were deleted matters to nobody.
  auto rows = database_.prepare(
      "SELECT q.project, q.name, count(*), sum(h.held), min(c.created), min(c.expires) FROM "
      "(SELECT queue, claim, count(*) AS held FROM messages INDEXED BY messages_held "
      "WHERE claim_expires > 0 AND claim_expires > ?1 GROUP BY queue, claim) h "
      "JOIN claims c ON c.id = h.claim JOIN queues q ON q.id = h.queue "
      "WHERE q.project <> '' GROUP BY h.queue ORDER BY 3 DESC, 1, 2",
      now_);
  while (rows.step()) {
    into.claims_in_all += rows.integer(2);
    into.claimed_messages_in_all += rows.integer(3);
    if (static_cast<std::int64_t>(into.claims.size()) >= limit) continue;
    claims_summary& entry = into.claims.emplace_back();
    entry.queue = {rows.text(0), rows.text(1)};
    entry.claims = rows.integer(2);
    entry.messages = rows.integer(3);
    entry.oldest_age = (now_ - rows.integer(4)) / milliseconds_a_second;
    entry.next_end = (rows.integer(5) - now_) / milliseconds_a_second;
  }
}

void store::count_subscriptions(census& into) {
  auto row = database_.prepare(
      "SELECT count(*), coalesce(sum(confirmed), 0), count(DISTINCT project || '/' || queue) "
      "FROM subscriptions WHERE expires > ?1",
      now_);
  if (!row.step()) return;
  into.subscriptions = row.integer(0);
  into.confirmed_subscriptions = row.integer(1);
  into.queues_with_subscriptions = row.integer(2);
}

std::optional<census> store::count_all(std::int64_t lines, std::chrono::milliseconds time) try {
  look_at_clock();
  const sqlite::time_limit limited(database_, time);
  census found;
  found.queues = count_queues_and_messages(lines);
  count_claims(found, lines);
  count_subscriptions(found);
  return found;
} catch (const sqlite::error& problem) {
  if (problem.code() == SQLITE_INTERRUPT) return std::nullopt;
  throw;
}

engine_state store::state() const {
  engine_state seen = database_.state();
  seen.name = std::string("SQLite ") + sqlite3_libversion();
  return seen;
}

}  // namespace queue_server
