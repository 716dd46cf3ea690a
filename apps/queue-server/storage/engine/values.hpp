// What the storage and the verbs exchange. Times are milliseconds since 1970, UTC, unless they say
// seconds.
#pragma once

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

// One line of the report's section.
struct queue_summary {
  queue_key queue;
  std::int64_t messages = 0;
  std::int64_t claimed = 0;
  std::optional<std::int64_t> oldest_age;  // seconds
};

}  // namespace queue_server
