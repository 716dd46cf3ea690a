// The metadata of a queue: what is its own to say, what is reserved, and how it is changed.
// Everything that checks throws api_error.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/engine/values.hpp"
#include "verbs/json.hpp"
#include "verbs/rules.hpp"

namespace queue_server {

// A queue's own metadata as it is stored. What its reserved keys say must make sense and be served:
// what this server can't do is refused, never accepted and ignored.
[[nodiscard]] std::string checked_metadata(const rules& allowed, const json& metadata);

// The metadata with the reserved keys that the queue does not set filled in.
[[nodiscard]] json full_metadata(const rules& allowed, const std::string& stored);

// What a queue in a list must have: names and values. A value that is no string is compared with
// its JSON text.
using metadata_filters = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] bool has_metadata(const json& metadata, const metadata_filters& wanted);

// How often and when a subscriber that did not take a notification is told again.
struct retry_policy {
  std::int64_t retries_with_no_delay = 3;
  std::int64_t minimum_delay_retries = 3;
  std::int64_t minimum_delay = 5;  // seconds
  std::int64_t maximum_delay_retries = 3;
  std::int64_t maximum_delay = 30;  // seconds
};
void check_retry_policy(const json& policy);
// Of a subscription's options, or else of its queue's metadata, or else the default.
[[nodiscard]] retry_policy retry_policy_of(const std::string& options, const std::string& metadata);

// One step of a JSON patch of metadata.
struct metadata_change {
  enum class step { add, remove, replace };
  step op = step::add;
  std::string key;
  json value;
};
[[nodiscard]] std::vector<metadata_change> checked_changes(const json& patch);

// Removing a reserved key brings its default back. Throws (409) for what is not there.
[[nodiscard]] json changed_metadata(const rules& allowed, json own,
                                    const std::vector<metadata_change>& changes);

// What the queue wants done with messages that are claimed too often. Nothing: go on offering them.
[[nodiscard]] std::optional<dead_letter_rule> dead_letters_of(
    const std::optional<std::string>& stored);

}  // namespace queue_server
