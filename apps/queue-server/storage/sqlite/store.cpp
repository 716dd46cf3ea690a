// Opening, the tables, and what queues need.
//
// Durability: WAL with synchronous=FULL syncs the log at each commit, so what was acknowledged
// survives kill -9 and a power cut alike. The writer commits requests that wait together in one
// transaction, which is what makes that affordable.
#include "storage/sqlite/store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace queue_server {

namespace {

constexpr std::int64_t enough_free_pages = 256;

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
  CREATE TABLE IF NOT EXISTS subscriptions (
    id TEXT PRIMARY KEY,
    project TEXT NOT NULL,
    queue TEXT NOT NULL,
    subscriber TEXT NOT NULL,
    ttl INTEGER NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    options TEXT NOT NULL,
    confirmed INTEGER NOT NULL,
    UNIQUE (project, queue, subscriber));
  CREATE INDEX IF NOT EXISTS subscriptions_by_end ON subscriptions (expires);
  CREATE TABLE IF NOT EXISTS clock (
    id INTEGER PRIMARY KEY,
    start TEXT NOT NULL,
    offset INTEGER NOT NULL,
    to_calendar INTEGER NOT NULL,
    latest INTEGER NOT NULL);
)";

// Nobody else's to read: SQLite makes its other files like this one.
std::string private_file(const std::string& path, sqlite::open_mode mode) {
  if (mode == sqlite::open_mode::read_only || path == ":memory:") return path;
  const int made = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (made >= 0) ::close(made);
  return path;
}

}  // namespace

void check_for_damage(const std::string& path) {
  sqlite::database opened(path, sqlite::open_mode::read_write);
  auto row = opened.prepare("PRAGMA quick_check(1)");
  if (row.step() && row.text(0) != "ok") throw storage_error("the file is damaged: " + row.text(0));
}

store::store(const std::string& path, sqlite::open_mode mode, sqlite::machine_clocks machine)
    : database_(private_file(path, mode), mode) {
  if (mode == sqlite::open_mode::read_write) {
    database_.execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
    database_.execute(tables);
    reserve_.emplace(path);
  }
  clock_.emplace(database_, mode, std::move(machine));
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

void store::begin() {
  database_.check_files();
  database_.run("BEGIN IMMEDIATE");
}
void store::commit() {
  database_.run("COMMIT");
  // What went to a file that nobody can find again is not stored.
  database_.check_files();
}
void store::roll_back() {
  database_.run("ROLLBACK");
}
bool store::in_transaction() const {
  return database_.in_transaction();
}
void store::mark() {
  database_.run("SAVEPOINT one");
}
void store::keep_mark() {
  database_.run("RELEASE one");
}
void store::undo_to_mark() {
  database_.run("ROLLBACK TO one");
  database_.run("RELEASE one");
}

void store::set_queue_metadata(const queue_key& key, const std::string& metadata) {
  look_at_clock();
  database_.run(
      "INSERT INTO queues (project, name, metadata, created) VALUES (?1, ?2, ?3, ?4) "
      "ON CONFLICT (project, name) DO UPDATE SET metadata = excluded.metadata",
      key.project, key.name, metadata, now_);
}

// A queue that is deleted belongs to the project without a name, which no client can have, until
// the sweep has removed what was in it.
void store::delete_queue(const queue_key& key) {
  database_.run("UPDATE queues SET project = '', name = id WHERE project = ?1 AND name = ?2",
                key.project, key.name);
  purge_subscriptions(key);
}

void store::purge_messages(const queue_key& key) {
  const auto metadata = queue_metadata(key);
  if (!metadata) return;
  database_.run("UPDATE queues SET project = '', name = id WHERE project = ?1 AND name = ?2",
                key.project, key.name);
  set_queue_metadata(key, *metadata);
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
  queue_stats counted;
  const auto queue = queue_id(key);
  if (!queue) return counted;
  {
    // A message lives at least as long as what holds it.
    auto row = database_.prepare(
        "SELECT (SELECT count(*) FROM messages WHERE queue = ?1 AND expires > ?2), "
        "(SELECT count(*) FROM messages INDEXED BY messages_held "
        "WHERE queue = ?1 AND claim_expires > 0 AND claim_expires > ?2)",
        *queue, now_);
    if (row.step()) {
      counted.total = row.integer(0);
      counted.claimed = row.integer(1);
    }
  }
  counted.oldest = end_of(*queue, false);
  counted.newest = end_of(*queue, true);
  return counted;
}

void store::try_to_write() {
  clock_->keep(database_);
}

bool store::has_room() {
  if (!reserve_ || !reserve_->is_spent()) return true;
  reserve_->take_back();
  if (!reserve_->is_spent()) return true;
  // What was deleted has left room in the file.
  auto row = database_.prepare("PRAGMA freelist_count");
  return row.step() && row.integer(0) >= enough_free_pages;
}

void store::make_room() noexcept {
  if (reserve_ && database_.is_full()) reserve_->spend();
}

std::int64_t store::sweep_deleted_queue(std::int64_t limit) {
  std::int64_t queue = 0;
  {
    auto row = database_.prepare("SELECT id FROM queues WHERE project = '' LIMIT 1");
    if (!row.step()) return 0;
    queue = row.integer(0);
  }
  database_.run(
      "DELETE FROM messages WHERE marker IN (SELECT marker FROM messages WHERE queue = ?1 LIMIT "
      "?2)",
      queue, limit);
  std::int64_t swept = database_.changes();
  if (swept < limit) {
    database_.run(
        "DELETE FROM claims WHERE id IN (SELECT id FROM claims WHERE queue = ?1 LIMIT ?2)", queue,
        limit - swept);
    swept += database_.changes();
  }
  if (swept < limit) {
    database_.run("DELETE FROM queues WHERE id = ?1", queue);
    ++swept;
  }
  return swept;
}

std::int64_t store::sweep(std::int64_t limit) {
  look_at_clock();
  clock_->keep_if_set(database_);
  database_.run(
      "DELETE FROM messages WHERE marker IN "
      "(SELECT marker FROM messages WHERE expires <= ?1 LIMIT ?2)",
      now_, limit);
  std::int64_t swept = database_.changes();
  database_.run(
      "DELETE FROM claims WHERE id IN (SELECT id FROM claims WHERE expires <= ?1 LIMIT ?2)", now_,
      limit);
  swept += database_.changes();
  database_.run(
      "DELETE FROM subscriptions WHERE id IN "
      "(SELECT id FROM subscriptions WHERE expires <= ?1 LIMIT ?2)",
      now_, limit);
  swept += database_.changes();
  return swept > 0 ? swept : sweep_deleted_queue(limit);
}

}  // namespace queue_server
