#include "verbs/metadata.hpp"

#include <algorithm>
#include <array>

#include "verbs/errors.hpp"
#include "verbs/validation.hpp"

namespace queue_server {

namespace {

constexpr std::int64_t most_claims = 1'000'000;
constexpr std::int64_t most_retries = 100;
constexpr std::int64_t longest_retry_delay = 86400;

void check_reserved(const json& metadata, const char* name, std::int64_t least, std::int64_t most) {
  if (const auto value = optional_integer(metadata, name)) check_range(name, *value, least, most);
}

const json* given(const json& metadata, const char* name) {
  const auto found = metadata.find(name);
  return found == metadata.end() || found->is_null() ? nullptr : &*found;
}

void check_dead_letters(const rules& allowed, const json& metadata) {
  check_reserved(metadata, "_max_claim_count", 1, most_claims);
  check_reserved(metadata, "_dead_letter_queue_messages_ttl", limits::least_time,
                 allowed.max_message_ttl);
  const json* queue = given(metadata, "_dead_letter_queue");
  if (queue == nullptr) return;
  if (!queue->is_string()) {
    throw invalid_body("The value of the \"_dead_letter_queue\" field must be a str.");
  }
  static_cast<void>(checked_queue_name(queue->get<std::string>()));
}

}  // namespace

void check_retry_policy(const json& policy) {
  if (!policy.is_object()) throw invalid_body("\"_retry_policy\" must be an object.");
  static constexpr std::array counts{"retries_with_no_delay", "minimum_delay_retries",
                                     "maximum_delay_retries"};
  static constexpr std::array delays{"minimum_delay", "maximum_delay"};
  for (const char* count : counts)
    check_reserved(policy, count, 0, most_retries);
  for (const char* delay : delays)
    check_reserved(policy, delay, 1, longest_retry_delay);
  for (const auto& [name, value] : policy.items()) {
    const auto is = [&given = name](const char* known) { return given == known; };
    if (std::any_of(counts.begin(), counts.end(), is) ||
        std::any_of(delays.begin(), delays.end(), is)) {
      continue;
    }
    throw invalid_request("\"" + name + "\" of \"_retry_policy\" is not served.");
  }
}

retry_policy retry_policy_of(const std::string& options, const std::string& metadata) {
  retry_policy policy;
  for (const std::string& stored : {options, metadata}) {
    if (stored.find("_retry_policy") == std::string::npos) continue;
    const json set = stored_json(stored);
    const json* found = given(set, "_retry_policy");
    if (found == nullptr) continue;
    const auto read = [found](const char* name, std::int64_t& into) {
      into = optional_integer(*found, name).value_or(into);
    };
    read("retries_with_no_delay", policy.retries_with_no_delay);
    read("minimum_delay_retries", policy.minimum_delay_retries);
    read("minimum_delay", policy.minimum_delay);
    read("maximum_delay_retries", policy.maximum_delay_retries);
    read("maximum_delay", policy.maximum_delay);
    break;
  }
  return policy;
}

std::string checked_metadata(const rules& allowed, const json& metadata) {
  if (!metadata.is_object()) throw invalid_body("Queue metadata must be an object.");
  check_reserved(metadata, "_max_messages_post_size", 1, allowed.max_messages_post_size);
  check_reserved(metadata, "_default_message_ttl", limits::least_time, allowed.max_message_ttl);
  check_reserved(metadata, "_default_message_delay", 0, allowed.max_message_delay);
  check_dead_letters(allowed, metadata);
  if (const json* policy = given(metadata, "_retry_policy")) check_retry_policy(*policy);
  if (const json* encrypt = given(metadata, "_enable_encrypt_messages")) {
    if (!encrypt->is_boolean()) {
      throw invalid_body("The value of the \"_enable_encrypt_messages\" field must be a bool.");
    }
    if (encrypt->get<bool>()) throw invalid_request("This server does not encrypt messages.");
  }
  std::string text = to_text(metadata);
  if (static_cast<std::int64_t>(text.size()) > allowed.max_queue_metadata) {
    throw invalid_request("Queue metadata is too large. Max size: " +
                          std::to_string(allowed.max_queue_metadata));
  }
  return text;
}

json full_metadata(const rules& allowed, const std::string& stored) {
  json metadata = {{"_max_messages_post_size", allowed.max_messages_post_size},
                   {"_default_message_ttl", allowed.default_message_ttl},
                   {"_default_message_delay", allowed.default_message_delay},
                   {"_dead_letter_queue", nullptr},
                   {"_dead_letter_queue_messages_ttl", nullptr},
                   {"_max_claim_count", nullptr},
                   {"_enable_encrypt_messages", false}};
  metadata.update(stored_json(stored));
  return metadata;
}

bool has_metadata(const json& metadata, const metadata_filters& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&metadata](const auto& each) {
    const json* value = given(metadata, each.first.c_str());
    if (value == nullptr) return false;
    return each.second == (value->is_string() ? value->get<std::string>() : to_text(*value));
  });
}

namespace {

metadata_change checked_change(const json& step) {
  if (!step.is_object()) throw invalid_body("Each change must be an object.");
  const json* op = given(step, "op");
  const json* path = given(step, "path");
  if (op == nullptr || !op->is_string() || path == nullptr || !path->is_string()) {
    throw invalid_body("Each change needs \"op\" and \"path\".");
  }
  metadata_change change;
  if (*op == "remove") {
    change.op = metadata_change::step::remove;
  } else if (*op == "replace") {
    change.op = metadata_change::step::replace;
  } else if (*op != "add") {
    throw invalid_body("\"op\" must be add, remove or replace.");
  }
  try {
    auto pointer = json::json_pointer(path->get<std::string>());
    change.key = pointer.back();
    pointer.pop_back();
    if (pointer.to_string() != "/metadata" || change.key.empty()) throw std::out_of_range("");
  } catch (const std::exception&) {
    throw invalid_body("\"path\" must be /metadata/KEY.");
  }
  const auto value = step.find("value");
  if (change.op != metadata_change::step::remove) {
    if (value == step.end())
      throw invalid_body("\"" + op->get<std::string>() + "\" needs a value.");
    change.value = *value;
  }
  return change;
}

}  // namespace

std::vector<metadata_change> checked_changes(const json& patch) {
  if (!patch.is_array()) throw invalid_body("A JSON patch is a list of changes.");
  std::vector<metadata_change> changes;
  changes.reserve(patch.size());
  for (const json& step : patch)
    changes.push_back(checked_change(step));
  return changes;
}

json changed_metadata(const rules& allowed, json own, const std::vector<metadata_change>& changes) {
  const json reserved = full_metadata(allowed, "{}");
  for (const metadata_change& each : changes) {
    if (each.op != metadata_change::step::add && !own.contains(each.key) &&
        !reserved.contains(each.key)) {
      throw api_error(409, "Conflict", "There is no \"" + each.key + "\" to be changed.");
    }
    if (each.op == metadata_change::step::remove) {
      own.erase(each.key);
    } else {
      own[each.key] = each.value;
    }
  }
  return own;
}

std::optional<dead_letter_rule> dead_letters_of(const std::optional<std::string>& stored) {
  // Claims come often and the rule is rare: nothing is parsed without need.
  if (!stored || stored->find("_max_claim_count") == std::string::npos) return std::nullopt;
  const json own = stored_json(*stored);
  const auto most = optional_integer(own, "_max_claim_count");
  if (!most) return std::nullopt;
  dead_letter_rule rule{*most, {}, optional_integer(own, "_dead_letter_queue_messages_ttl")};
  if (const json* queue = given(own, "_dead_letter_queue")) rule.queue = queue->get<std::string>();
  return rule;
}

}  // namespace queue_server
