// What this server accepts: the limits of Zaqar's v2 API and how it may be set up, by the names of
// Zaqar's options. Times are in seconds, sizes in bytes. Constant while the server runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace queue_server {

struct rules {
  std::int64_t max_messages_post_size = 262144;
  std::int64_t max_queue_metadata = 65536;
  std::int64_t max_queues_per_page = 20;
  std::int64_t max_messages_per_page = 20;
  std::int64_t max_subscriptions_per_page = 20;
  std::int64_t max_messages_per_claim_or_pop = 20;

  std::int64_t max_message_ttl = 1209600;
  std::int64_t max_message_delay = 900;
  std::int64_t max_claim_ttl = 43200;
  std::int64_t max_claim_grace = 43200;
  std::int64_t default_message_ttl = 3600;
  std::int64_t default_message_delay = 0;
  std::int64_t default_claim_ttl = 300;
  std::int64_t default_claim_grace = 60;
  std::int64_t default_subscription_ttl = 3600;

  bool client_id_uuid_safe = true;  // a Client-ID must be a UUID; otherwise its length counts
  std::int64_t min_length_client_id = 10;
  std::int64_t max_length_client_id = 36;
  bool message_delete_with_claim_id = false;  // only what is claimed can be deleted
  bool require_confirmation = false;  // subscribers are told of messages once they confirmed
  std::vector<std::string> subscriber_hosts{"127.0.0.1", "[::1]", "localhost"};
  std::string signed_url_secret_key;

  // What one request may hold at most, whatever it is; what is between the largest post and this is
  // refused politely, what is beyond ends the connection.
  [[nodiscard]] std::size_t largest_request() const noexcept {
    return 2 * static_cast<std::size_t>(max_messages_post_size);
  }
};

namespace limits {

inline constexpr std::size_t queue_name = 64;
inline constexpr std::size_t project_id = 256;
inline constexpr std::size_t json_depth = 64;
inline constexpr std::int64_t least_time = 60;     // of every time to live, and of a grace
inline constexpr std::int64_t subscribers = 1000;  // of one queue
inline constexpr std::int64_t default_page = 10;   // and default claim

}  // namespace limits

}  // namespace queue_server
