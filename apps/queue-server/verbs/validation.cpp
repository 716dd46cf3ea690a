#include "verbs/validation.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "verbs/errors.hpp"

namespace queue_server {

namespace {

bool is_name_character(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_' || letter == '-' ||
         letter == '.';
}

// As 32 digits, or 8-4-4-4-12 of them.
std::string canonical_uuid(std::string_view text) {
  std::string digits;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '-' && text.size() == 36 && (at == 8 || at == 13 || at == 18 || at == 23)) {
      continue;
    }
    const auto letter = static_cast<unsigned char>(text[at]);
    if (std::isxdigit(letter) == 0) return {};
    digits += static_cast<char>(std::tolower(letter));
  }
  return digits.size() == 32 ? digits : std::string();
}

posted_message checked_message(const rules& allowed, const json& sent) {
  if (!sent.is_object()) throw invalid_body("A message must be a JSON object.");
  const auto body = sent.find("body");
  if (body == sent.end()) throw invalid_body("Missing \"body\" field.");
  posted_message posted{optional_integer(sent, "ttl"), optional_integer(sent, "delay"),
                        to_text(*body)};  // a raw value: as it was sent
  if (posted.ttl) {
    check_range("TTL of a message", *posted.ttl, limits::least_time, allowed.max_message_ttl);
  }
  if (posted.delay) check_range("delay of a message", *posted.delay, 0, allowed.max_message_delay);
  return posted;
}

}  // namespace

void check_range(std::string_view what, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value >= least && value <= most) return;
  throw invalid_request("The " + std::string(what) + " may not be less than " +
                        std::to_string(least) + " nor more than " + std::to_string(most) + ".");
}

caller caller_from(const rules& allowed, const std::optional<std::string>& client_id,
                   const std::optional<std::string>& project_id) {
  if (!client_id || client_id->empty()) {
    throw api_error(400, "Missing header value", "The header Client-ID is required.");
  }
  std::string client = canonical_uuid(*client_id);
  const auto length = static_cast<std::int64_t>(client_id->size());
  const bool any_text = !allowed.client_id_uuid_safe && length >= allowed.min_length_client_id &&
                        length <= allowed.max_length_client_id;
  if (client.empty() && any_text) client = *client_id;
  if (client.empty()) throw api_error(400, "Wrong UUID value", "Malformed hexadecimal UUID.");
  if (!project_id || project_id->empty()) {
    throw api_error(400, "Project-Id Missing", "The header X-PROJECT-ID was missing");
  }
  if (project_id->size() > limits::project_id) {
    throw invalid_request("Project ids may not be more than 256 characters long.");
  }
  return {std::move(client), *project_id};
}

std::string checked_queue_name(std::string name) {
  if (name.size() > limits::queue_name) {
    throw invalid_request("Queue names may not be more than 64 characters long.");
  }
  if (name.empty() || !std::all_of(name.begin(), name.end(), is_name_character)) {
    throw invalid_request(
        "Queue names may only contain ASCII letters, digits, underscores, dashes and dots.");
  }
  return name;
}

std::vector<posted_message> checked_messages(const rules& allowed, const json& messages) {
  if (!messages.is_array()) throw invalid_body("\"messages\" must be a list.");
  if (messages.empty()) throw invalid_request("No messages to post.");
  std::vector<posted_message> posted;
  posted.reserve(messages.size());
  for (const json& sent : messages)
    posted.push_back(checked_message(allowed, sent));
  return posted;
}

std::vector<new_message> with_defaults(const rules& allowed, std::vector<posted_message> posted,
                                       const std::optional<std::string>& metadata,
                                       std::int64_t posted_bytes) {
  const json own = metadata ? stored_json(*metadata) : json::object();
  const std::int64_t ttl =
      optional_integer(own, "_default_message_ttl").value_or(allowed.default_message_ttl);
  const std::int64_t delay =
      optional_integer(own, "_default_message_delay").value_or(allowed.default_message_delay);
  const std::int64_t most =
      optional_integer(own, "_max_messages_post_size").value_or(allowed.max_messages_post_size);
  if (posted_bytes > most) {
    throw invalid_request("Message collection size is too large. Max size " + std::to_string(most));
  }
  std::vector<new_message> complete;
  complete.reserve(posted.size());
  for (posted_message& each : posted) {
    complete.push_back({each.ttl.value_or(ttl), each.delay.value_or(delay), std::move(each.body)});
  }
  return complete;
}

claim_terms checked_claim_terms(const rules& allowed, const json& object) {
  claim_terms terms{allowed.default_claim_ttl, allowed.default_claim_grace};
  if (object.is_null()) return terms;
  if (!object.is_object()) throw invalid_body("The terms of a claim must be a JSON object.");
  terms.ttl = optional_integer(object, "ttl").value_or(terms.ttl);
  terms.grace = optional_integer(object, "grace").value_or(terms.grace);
  check_range("TTL of a claim", terms.ttl, limits::least_time, allowed.max_claim_ttl);
  check_range("grace of a claim", terms.grace, limits::least_time, allowed.max_claim_grace);
  return terms;
}

std::int64_t checked_page(std::optional<std::int64_t> limit, std::int64_t most) {
  return limit ? checked_count("limit", *limit, most) : std::min(limits::default_page, most);
}

std::int64_t checked_count(std::string_view what, std::int64_t count, std::int64_t most) {
  check_range(what, count, 1, most);
  return count;
}

std::int64_t marker_from(std::string_view marker) {
  std::int64_t number = -1;
  const char* const begin = marker.data();  // NOLINT(bugprone-suspicious-stringview-data-usage)
  const char* const end = begin + marker.size();
  const auto [read_to, failure] = std::from_chars(begin, end, number);
  return failure == std::errc{} && read_to == end ? std::max<std::int64_t>(number, -1) : -1;
}

void throw_unless_deleted(delete_outcome deleted) {
  switch (deleted) {
    case delete_outcome::done:
      return;
    case delete_outcome::claimed:
      throw api_error(403, "Unable to delete",
                      "This message is claimed; it cannot be deleted without a valid claim ID.");
    case delete_outcome::claimed_by_other:
      throw api_error(403, "Unable to delete",
                      "This message is claimed by another claim than the one specified.");
    case delete_outcome::not_claimed:
      throw invalid_request("A claim was specified, but the message is not currently claimed.");
    case delete_outcome::no_such_claim:
      throw invalid_request("The specified claim does not exist or has expired.");
  }
}

std::int64_t integer_from(std::string_view name, std::string_view text) {
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size()) {
    throw invalid_request("The value of " + std::string(name) + " must be an integer.");
  }
  return number;
}

bool boolean_from(std::string_view name, std::string_view text) {
  for (const char* yes : {"true", "True", "TRUE", "1", "yes", "on"}) {
    if (text == yes) return true;
  }
  for (const char* no : {"false", "False", "FALSE", "0", "no", "off"}) {
    if (text == no) return false;
  }
  throw invalid_request("The value of " + std::string(name) + " must be true or false.");
}

std::optional<std::int64_t> optional_integer(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return std::nullopt;
  if (!found->is_number_integer()) {
    throw invalid_body("The value of the \"" + std::string(name) + "\" field must be a int.");
  }
  return found->get<std::int64_t>();
}

}  // namespace queue_server
