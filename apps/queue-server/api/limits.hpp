// The limits of Zaqar's v2 API. Times are in seconds, sizes in bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace queue_server::limits {

inline constexpr std::size_t queue_name = 64;
inline constexpr std::size_t project_id = 256;
inline constexpr std::int64_t message_post = 262144;
inline constexpr std::size_t metadata = 65536;
inline constexpr std::size_t json_depth = 64;

inline constexpr std::int64_t min_message_ttl = 60;
inline constexpr std::int64_t max_message_ttl = 1209600;
inline constexpr std::int64_t default_message_ttl = 3600;
inline constexpr std::int64_t max_message_delay = 900;

inline constexpr std::int64_t min_claim_ttl = 60;
inline constexpr std::int64_t max_claim_ttl = 43200;
inline constexpr std::int64_t default_claim_ttl = 300;
inline constexpr std::int64_t min_claim_grace = 60;
inline constexpr std::int64_t max_claim_grace = 43200;
inline constexpr std::int64_t default_claim_grace = 60;

inline constexpr std::int64_t max_page = 20;      // queues or messages in one answer
inline constexpr std::int64_t default_page = 10;  // the same for a claim

// What one HTTP request or WebSocket message may hold at most, whatever it is; what is between
// `message_post` and this is refused politely, what is beyond ends the connection.
inline constexpr std::size_t largest_request = 2 * static_cast<std::size_t>(message_post);

}  // namespace queue_server::limits
