// From what a client sent to values the storage takes; HTTP and WebSocket share it. Everything here
// throws api_error for what is not acceptable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/json.hpp"
#include "storage/store.hpp"

namespace queue_server {

// Who asks.
struct caller {
  std::string client;  // 32 lower-case hexadecimal digits
  std::string project;
};

[[nodiscard]] caller caller_from(const std::optional<std::string>& client_id,
                                 const std::optional<std::string>& project_id);

[[nodiscard]] std::string checked_queue_name(std::string name);

// A queue's own metadata as it is stored. What its reserved keys say must make sense.
[[nodiscard]] std::string checked_metadata(const json& metadata);

// The metadata with the reserved keys that the queue does not set filled in.
[[nodiscard]] json full_metadata(const std::string& stored);

// Messages as they were posted; what they leave out is the queue's to say.
struct posted_message {
  std::optional<std::int64_t> ttl;
  std::optional<std::int64_t> delay;
  std::string body;
};
[[nodiscard]] std::vector<posted_message> checked_messages(const json& messages);

// With the defaults that `metadata`, of the queue, gives, and its limit on the size of a post.
[[nodiscard]] std::vector<new_message> with_defaults(std::vector<posted_message> posted,
                                                     const std::optional<std::string>& metadata,
                                                     std::int64_t posted_bytes);

// Nothing given stands for the defaults; `object` may be null.
[[nodiscard]] claim_terms checked_claim_terms(const json& object);

// `limit` when the client gave none.
[[nodiscard]] std::int64_t checked_page(std::optional<std::int64_t> limit);
// Of things to do or to show at once. Returns it.
std::int64_t checked_count(std::string_view what, std::int64_t count);

// The number of a marker of messages.
[[nodiscard]] std::int64_t checked_marker(std::string_view marker);

// Why a message could not be deleted, for the one who asked.
void throw_unless_deleted(delete_outcome deleted);

[[nodiscard]] std::int64_t integer_from(std::string_view name, std::string_view text);
[[nodiscard]] bool boolean_from(std::string_view name, std::string_view text);

// As the parameter of a claim: absent, null, or an integer.
[[nodiscard]] std::optional<std::int64_t> optional_integer(const json& object, const char* name);

}  // namespace queue_server
