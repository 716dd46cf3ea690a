// From what a client sent to values the storage takes; HTTP and WebSocket share it. Everything here
// throws api_error for what is not acceptable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/engine/values.hpp"
#include "verbs/json.hpp"
#include "verbs/rules.hpp"

namespace queue_server {

// Who asks.
struct caller {
  std::string client;  // 32 lower-case hexadecimal digits where it is a UUID
  std::string project;
};

[[nodiscard]] caller caller_from(const rules& allowed, const std::optional<std::string>& client_id,
                                 const std::optional<std::string>& project_id);

[[nodiscard]] std::string checked_queue_name(std::string name);

// Messages as they were posted; what they leave out is the queue's to say.
struct posted_message {
  std::optional<std::int64_t> ttl;
  std::optional<std::int64_t> delay;
  std::string body;  // JSON
};
[[nodiscard]] std::vector<posted_message> checked_messages(const rules& allowed,
                                                           const json& messages);

// With the defaults that `metadata`, of the queue, gives, and its limit on the size of a post.
[[nodiscard]] std::vector<new_message> with_defaults(const rules& allowed,
                                                     std::vector<posted_message> posted,
                                                     const std::optional<std::string>& metadata,
                                                     std::int64_t posted_bytes);

// Nothing given stands for the defaults; `object` may be null.
[[nodiscard]] claim_terms checked_claim_terms(const rules& allowed, const json& object);

// The default when the client gave no `limit`.
[[nodiscard]] std::int64_t checked_page(std::optional<std::int64_t> limit, std::int64_t most);
void check_range(std::string_view what, std::int64_t value, std::int64_t least, std::int64_t most);
// Of things to do or to show at once. Returns it.
std::int64_t checked_count(std::string_view what, std::int64_t count, std::int64_t most);

// The number of a marker of messages; -1 for what is none of this server's.
[[nodiscard]] std::int64_t marker_from(std::string_view marker);

// Why a message could not be deleted, for the one who asked.
void throw_unless_deleted(delete_outcome deleted);

[[nodiscard]] std::int64_t integer_from(std::string_view name, std::string_view text);
[[nodiscard]] bool boolean_from(std::string_view name, std::string_view text);

// As the parameter of a claim: absent, null, or an integer.
[[nodiscard]] std::optional<std::int64_t> optional_integer(const json& object, const char* name);

}  // namespace queue_server
