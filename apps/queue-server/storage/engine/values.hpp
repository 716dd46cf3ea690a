// What the storage and the verbs exchange. Times are milliseconds since 1970, UTC, unless they say
// seconds.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace queue_server {

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

// What becomes of messages that were claimed too often: they are moved to `queue`, or deleted when
// it is empty.
struct dead_letter_rule {
  std::int64_t most_claims = 0;
  std::string queue;                // of the same project
  std::optional<std::int64_t> ttl;  // seconds, from then on; none: as long as they would have lived
};

struct claim {
  std::string id;
  std::int64_t ttl = 0;  // seconds
  std::int64_t age = 0;  // seconds
  std::vector<message> messages;
};

enum class delete_outcome { done, claimed, not_claimed, claimed_by_other, no_such_claim };

struct subscription {
  std::string id;
  std::string source;      // the queue's name
  std::string subscriber;  // a URL
  std::int64_t ttl = 0;    // seconds
  std::int64_t age = 0;    // seconds
  std::string options;     // a JSON object
  bool confirmed = false;
};

struct new_subscription {
  std::string subscriber;
  std::int64_t ttl = 0;  // seconds
  std::string options;   // a JSON object
  bool confirmed = false;
};

// What is to be changed of a subscription; what is not given stays.
struct subscription_change {
  std::optional<std::string> subscriber;
  std::optional<std::int64_t> ttl;  // seconds
  std::optional<std::string> options;
};

enum class change_outcome { done, absent, conflict };

// What a report shows of all projects together.
struct queue_summary {
  queue_key queue;
  std::int64_t messages = 0;
  std::int64_t claimed = 0;
  std::optional<std::int64_t> oldest_age;  // seconds
};

// The claims that live and hold messages of a queue.
struct claims_summary {
  queue_key queue;
  std::int64_t claims = 0;
  std::int64_t messages = 0;
  std::int64_t oldest_age = 0;  // seconds
  std::int64_t next_end = 0;    // seconds until the first of them ends
};

struct census {
  std::vector<queue_summary> queues;   // the longest first; no more than were asked for
  std::vector<claims_summary> claims;  // of the queues with most claims; likewise
  std::int64_t claims_in_all = 0;
  std::int64_t claimed_messages_in_all = 0;
  std::int64_t subscriptions = 0;
  std::int64_t confirmed_subscriptions = 0;
  std::int64_t queues_with_subscriptions = 0;
};

// What an engine knows of itself without asking its disk.
struct engine_state {
  std::string name;
  std::int64_t file_bytes = 0;
  std::int64_t log_bytes = 0;                // written, and not in the file yet
  std::uint64_t checkpoints = 0;             // from the log to the file
  std::uint64_t checkpoints_unfinished = 0;  // a reader needed a part of the log
  std::int64_t last_checkpoint_us = 0;       // how long it took
  std::chrono::steady_clock::time_point last_checkpoint;
  const char* checkpoint_problem = nullptr;  // a literal; null: the latest one worked
};

}  // namespace queue_server
