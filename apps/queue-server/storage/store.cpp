// Opening, the tables, and what queues need.
//
// Durability: WAL with synchronous=FULL syncs the log at each commit, so what was acknowledged
// survives kill -9 and a power cut alike. The writer commits requests that wait together in one
// transaction, which is what makes that affordable.
#include "storage/store.hpp"

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid.hpp>
#include <chrono>

namespace queue_server {

namespace {

constexpr const char* tables = R"(
  CREATE TABLE IF NOT EXISTS queues (
    id INTEGER PRIMARY KEY,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    metadata TEXT NOT NULL,
    created INTEGER NOT NULL,
    UNIQUE (project, name));
  CREATE TABLE IF NOT EXISTS messages (
    marker INTEGER PRIMARY KEY AUTOINCREMENT,
    queue INTEGER NOT NULL REFERENCES queues (id) ON DELETE CASCADE,
    id TEXT NOT NULL UNIQUE,
    client TEXT NOT NULL,
    body TEXT NOT NULL,
    ttl INTEGER NOT NULL,
    created INTEGER NOT NULL,
    visible INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    claim TEXT,
    claim_expires INTEGER NOT NULL DEFAULT 0,
    claim_count INTEGER NOT NULL DEFAULT 0);
  CREATE INDEX IF NOT EXISTS messages_of_queue ON messages (queue);
  CREATE INDEX IF NOT EXISTS messages_of_queue_by_end ON messages (queue, expires);
  CREATE INDEX IF NOT EXISTS messages_by_end ON messages (expires);
  CREATE INDEX IF NOT EXISTS messages_of_claim ON messages (claim) WHERE claim IS NOT NULL;
  CREATE INDEX IF NOT EXISTS messages_free ON messages (queue) WHERE claim_expires = 0;
  CREATE INDEX IF NOT EXISTS messages_held ON messages (queue, claim_expires)
    WHERE claim_expires > 0;
  CREATE TABLE IF NOT EXISTS claims (
    id TEXT PRIMARY KEY,
    queue INTEGER NOT NULL REFERENCES queues (id) ON DELETE CASCADE,
    ttl INTEGER NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL);
  CREATE INDEX IF NOT EXISTS claims_of_queue ON claims (queue);
  CREATE INDEX IF NOT EXISTS claims_by_end ON claims (expires);
)";

}  // namespace

std::int64_t system_milliseconds() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::string new_id() {
  static constexpr char digits[] = "0123456789abcdef";
  thread_local boost::uuids::random_generator generate;
  std::string id;
  for (const std::uint8_t byte : generate()) {
    id += digits[byte >> 4];
    id += digits[byte & 15];
  }
  return id;
}

store::store(const std::string& path, sqlite::open_mode mode, clock_function clock)
    : database_(path, mode), clock_(std::move(clock)) {
  if (mode == sqlite::open_mode::read_only) return;
  database_.execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
  database_.execute(tables);
}

std::optional<std::int64_t> store::queue_id(const queue_key& key) {
  auto row = database_.prepare("SELECT id FROM queues WHERE project = ?1 AND name = ?2",
                               key.project, key.name);
  if (!row.step()) return std::nullopt;
  return row.integer(0);
}

bool store::create_queue(const queue_key& key, const std::string& metadata) {
  look_at_clock();
  database_.run(
      "INSERT INTO queues (project, name, metadata, created) VALUES (?1, ?2, ?3, ?4) "
      "ON CONFLICT DO NOTHING",
      key.project, key.name, metadata, now_);
  return database_.changes() > 0;
}

void store::delete_queue(const queue_key& key) {
  database_.run("DELETE FROM queues WHERE project = ?1 AND name = ?2", key.project, key.name);
}

std::optional<std::string> store::queue_metadata(const queue_key& key) {
  auto row = database_.prepare("SELECT metadata FROM queues WHERE project = ?1 AND name = ?2",
                               key.project, key.name);
  if (!row.step()) return std::nullopt;
  return row.text(0);
}

std::vector<queue_entry> store::list_queues(const std::string& project, const std::string& after,
                                            const std::string& name_part, std::int64_t limit) {
  auto rows = database_.prepare(
      "SELECT name, metadata FROM queues WHERE project = ?1 AND name > ?2 "
      "AND (?3 = '' OR instr(name, ?3) > 0) ORDER BY name LIMIT ?4",
      project, after, name_part, limit);
  std::vector<queue_entry> found;
  while (rows.step())
    found.push_back({rows.text(0), rows.text(1)});
  return found;
}

std::int64_t store::count_queues(const std::string& project) {
  auto row = database_.prepare("SELECT count(*) FROM queues WHERE project = ?1", project);
  return row.step() ? row.integer(0) : 0;
}

queue_stats store::stats(const queue_key& key) {
  look_at_clock();
  queue_stats result;
  const auto queue = queue_id(key);
  if (!queue) return result;
  {
    // A message lives at least as long as what holds it.
    auto row = database_.prepare(
        "SELECT (SELECT count(*) FROM messages WHERE queue = ?1 AND expires > ?2), "
        "(SELECT count(*) FROM messages INDEXED BY messages_held "
        "WHERE queue = ?1 AND claim_expires > 0 AND claim_expires > ?2)",
        *queue, now_);
    if (row.step()) {
      result.total = row.integer(0);
      result.claimed = row.integer(1);
    }
  }
  result.oldest = end_of(*queue, false);
  result.newest = end_of(*queue, true);
  return result;
}

std::vector<queue_summary> store::summary(std::int64_t limit) {
  look_at_clock();
  auto rows = database_.prepare(
      "SELECT q.project, q.name, "
      "(SELECT count(*) FROM messages WHERE queue = q.id AND expires > ?1), "
      "(SELECT count(*) FROM messages INDEXED BY messages_held "
      "WHERE queue = q.id AND claim_expires > 0 AND claim_expires > ?1), "
      "(SELECT created FROM messages INDEXED BY messages_of_queue "
      "WHERE queue = q.id AND expires > ?1 ORDER BY marker LIMIT 1) "
      "FROM queues q ORDER BY 3 DESC, 1, 2 LIMIT ?2",
      now_, limit);
  std::vector<queue_summary> found;
  while (rows.step()) {
    queue_summary& entry = found.emplace_back();
    entry.queue = {rows.text(0), rows.text(1)};
    entry.messages = rows.integer(2);
    entry.claimed = rows.integer(3);
    if (!rows.is_null(4)) entry.oldest_age = (now_ - rows.integer(4)) / 1000;
  }
  return found;
}

std::int64_t store::sweep(std::int64_t limit) {
  look_at_clock();
  database_.run(
      "DELETE FROM messages WHERE marker IN "
      "(SELECT marker FROM messages WHERE expires <= ?1 LIMIT ?2)",
      now_, limit);
  const std::int64_t swept = database_.changes();
  database_.run(
      "DELETE FROM claims WHERE id IN (SELECT id FROM claims WHERE expires <= ?1 LIMIT ?2)", now_,
      limit);
  return swept + database_.changes();
}

}  // namespace queue_server
