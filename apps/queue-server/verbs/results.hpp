// What the verbs give back: values, which each protocol renders in its own way.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "storage/engine/values.hpp"
#include "verbs/json.hpp"

namespace queue_server::results {

struct queue_created {
  std::string name;
  bool is_new = false;
};
struct queue_removed {
  std::string name;
};
struct queue_purged {
  std::string name;
};
struct queue_page {
  std::vector<queue_entry> queues;
  bool detailed = false;
  std::int64_t limit = 0;
  std::optional<std::int64_t> count;
};
// With the reserved keys filled in; the defaults for a queue that does not exist.
struct queue_metadata {
  std::string name;
  bool exists = false;
  json metadata;
};
struct queue_statistics {
  std::string name;
  bool exists = false;
  queue_stats counted;
};
struct queue_shared {
  json signature;
};

// Whom to tell of what was posted. Empty for a queue without confirmed subscriptions.
struct announcement {
  std::string project;
  std::vector<subscription> subscribers;
  std::vector<std::string> bodies;  // JSON, of each message
  std::string metadata;             // of the queue: a JSON object
};
struct messages_posted {
  std::string queue;
  std::vector<std::string> ids;
  announcement told;
};
struct message_page {
  std::string queue;
  std::vector<message> messages;
  std::int64_t limit = 0;
};
struct messages_found {
  std::string queue;
  std::vector<message> messages;
};
struct message_found {
  std::string queue;
  message found;
};
struct messages_popped {
  std::vector<message> messages;
};
struct messages_deleted {};

// Of no messages: nothing was claimed.
struct claim_created {
  std::string queue;
  claim made;
};
struct claim_found {
  std::string queue;
  claim found;
};
struct claim_updated {
  std::string id;
};
struct claim_deleted {
  std::string id;
};

struct subscription_created {
  queue_key queue;
  std::string id;
  std::string subscriber;
  bool confirmed = false;
};
struct subscription_page {
  std::string queue;
  std::vector<subscription> subscriptions;
  std::int64_t limit = 0;
};
struct subscription_found {
  subscription found;
};
struct subscription_changed {};
struct subscription_deleted {
  std::string id;
};

struct home {};    // what this server serves
struct pinged {};  // it is alive
struct health {};  // so is its storage
struct authenticated {};

}  // namespace queue_server::results

namespace queue_server {

using result =
    std::variant<results::queue_created, results::queue_removed, results::queue_purged,
                 results::queue_page, results::queue_metadata, results::queue_statistics,
                 results::queue_shared, results::messages_posted, results::message_page,
                 results::messages_found, results::message_found, results::messages_popped,
                 results::messages_deleted, results::claim_created, results::claim_found,
                 results::claim_updated, results::claim_deleted, results::subscription_created,
                 results::subscription_page, results::subscription_found,
                 results::subscription_changed, results::subscription_deleted, results::pinged,
                 results::health, results::home, results::authenticated>;

}  // namespace queue_server
