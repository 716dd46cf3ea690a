// Queues, messages and claims in SQLite: what they mean, without HTTP, JSON shapes or threads.
//
// A queue belongs to a project and nothing of it is visible to another. A message can be seen from
// the end of its delay until it expires; while a claim on it lives, others are not offered it. What
// has expired is never returned; `sweep` takes it off the disk later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "storage/sqlite.hpp"

namespace queue_server {

// Milliseconds since 1970, UTC.
using clock_function = std::function<std::int64_t()>;
[[nodiscard]] std::int64_t system_milliseconds();
inline constexpr std::int64_t milliseconds_a_second = 1000;

struct queue_key {
  std::string project;
  std::string name;
};

struct queue_entry {
  std::string name;
  std::string metadata;  // a JSON object
};

struct new_message {
  std::int64_t ttl = 0;    // seconds
  std::int64_t delay = 0;  // seconds
  std::string body;        // JSON
};

struct message {
  std::string id;
  std::int64_t marker = 0;  // orders the messages of a queue
  std::int64_t ttl = 0;     // seconds
  std::int64_t age = 0;     // seconds
  std::int64_t created = 0;
  std::string body;                     // JSON
  std::optional<std::string> claim_id;  // of the claim that lives
  std::int64_t claim_count = 0;
};

struct message_filter {
  std::int64_t after = 0;  // marker of the last one seen
  std::int64_t limit = 0;
  std::optional<std::string> not_from;  // leave out what this client posted
  bool include_claimed = false;
  bool include_delayed = false;
};

struct queue_stats {
  std::int64_t total = 0;
  std::int64_t claimed = 0;
  std::optional<message> oldest;
  std::optional<message> newest;
};

struct claim_terms {
  std::int64_t ttl = 0;    // seconds
  std::int64_t grace = 0;  // seconds
};

struct claim {
  std::string id;
  std::int64_t ttl = 0;  // seconds
  std::int64_t age = 0;  // seconds
  std::vector<message> messages;
};

enum class delete_outcome { done, claimed, not_claimed, claimed_by_other, no_such_claim };

// One line of the report's section.
struct queue_summary {
  queue_key queue;
  std::int64_t messages = 0;
  std::int64_t claimed = 0;
  std::optional<std::int64_t> oldest_age;  // seconds
};

// One connection to the data. One thread at a time. All members throw sqlite::error; what changes
// more than one row is atomic only inside a transaction of the caller.
class store final {
 public:
  // Read-write creates the file and its tables as needed.
  store(const std::string& path, sqlite::open_mode mode,
        clock_function clock = &system_milliseconds);

  [[nodiscard]] sqlite::database& connection() noexcept { return database_; }

  // Queues
  [[nodiscard]] bool create_queue(const queue_key& key, const std::string& metadata);  // true: new
  void delete_queue(const queue_key& key);
  [[nodiscard]] std::optional<std::string> queue_metadata(const queue_key& key);
  [[nodiscard]] std::vector<queue_entry> list_queues(const std::string& project,
                                                     const std::string& after,
                                                     const std::string& name_part,
                                                     std::int64_t limit);
  [[nodiscard]] std::int64_t count_queues(const std::string& project);
  [[nodiscard]] queue_stats stats(const queue_key& key);
  [[nodiscard]] std::vector<queue_summary> summary(std::int64_t limit);

  // Messages. Posting creates the queue when it is missing; returns the ids in order.
  [[nodiscard]] std::vector<std::string> post(const queue_key& key, const std::string& client,
                                              const std::vector<new_message>& messages);
  [[nodiscard]] std::vector<message> list_messages(const queue_key& key,
                                                   const message_filter& filter);
  [[nodiscard]] std::vector<message> get_messages(const queue_key& key,
                                                  const std::vector<std::string>& ids);
  [[nodiscard]] delete_outcome delete_message(const queue_key& key, const std::string& id,
                                              const std::optional<std::string>& claim_id);
  void delete_messages(const queue_key& key, const std::vector<std::string>& ids);
  [[nodiscard]] std::vector<message> pop(const queue_key& key, std::int64_t limit);

  // Claims. A claim on nothing is not made: its id is empty.
  [[nodiscard]] claim create_claim(const queue_key& key, claim_terms terms, std::int64_t limit);
  [[nodiscard]] std::optional<claim> get_claim(const queue_key& key, const std::string& id);
  [[nodiscard]] bool update_claim(const queue_key& key, const std::string& id, claim_terms terms);
  void delete_claim(const queue_key& key, const std::string& id);

  // Takes up to `limit` expired messages, and expired claims, off the disk; returns how many.
  std::int64_t sweep(std::int64_t limit);

 private:
  [[nodiscard]] std::optional<std::int64_t> queue_id(const queue_key& key);
  [[nodiscard]] message read_message(const sqlite::query& row) const;
  [[nodiscard]] std::optional<message> end_of(std::int64_t queue, bool newest);
  [[nodiscard]] std::vector<message> free_messages(std::int64_t queue, std::int64_t limit);
  [[nodiscard]] std::vector<message> claimed_messages(const std::string& claim_id);
  [[nodiscard]] bool claim_lives(std::int64_t queue, const std::string& id);
  // Stretches a message that would not outlive its claim and grace.
  void hold(const message& held, const std::string& claim_id, claim_terms terms);
  // What every reading member sees as the time until the next one is called.
  void look_at_clock() { now_ = clock_(); }

  sqlite::database database_;
  clock_function clock_;
  std::int64_t now_ = 0;
};

// 32 random hexadecimal digits.
[[nodiscard]] std::string new_id();

}  // namespace queue_server
