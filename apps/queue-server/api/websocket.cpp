// The envelope of a message, the table of actions, and how an answer is wrapped.
#include "api/websocket.hpp"

#include <array>
#include <memory>

#include "api/errors.hpp"
#include "api/websocket_call.hpp"

namespace queue_server::websocket_api {

namespace {

struct named_action {
  std::string_view name;
  action (*start)(const call&);
};

constexpr std::array actions{
    named_action{"queue_list", queue_list},
    named_action{"queue_create", queue_create},
    named_action{"queue_get", queue_get},
    named_action{"queue_delete", queue_delete},
    named_action{"queue_get_stats", queue_get_stats},
    named_action{"message_list", message_list},
    named_action{"message_get", message_get},
    named_action{"message_get_many", message_get_many},
    named_action{"message_post", message_post},
    named_action{"message_delete", message_delete},
    named_action{"message_delete_many", message_delete_many},
    named_action{"claim_create", claim_create},
    named_action{"claim_get", claim_get},
    named_action{"claim_update", claim_update},
    named_action{"claim_delete", claim_delete},
};

// Of the same API, not served yet.
constexpr std::array later_actions{
    "authenticate",     "queue_purge",         "subscription_list", "subscription_create",
    "subscription_get", "subscription_delete", "pool_list",         "pool_create",
    "pool_get",         "pool_get_detail",     "pool_update",       "pool_delete",
    "flavor_list",      "flavor_create",       "flavor_get",        "flavor_update",
    "flavor_delete",    "ping_node",           "check_node_health", "get_home_doc",
};

json member(const json& object, const char* name, const json& otherwise) {
  const auto found = object.find(name);
  return found != object.end() ? *found : otherwise;
}

// Header names have no case.
std::optional<std::string> header(const json& headers, std::string_view wanted) {
  for (const auto& [name, value] : headers.items()) {
    const bool same = std::equal(name.begin(), name.end(), wanted.begin(), wanted.end(),
                                 [](unsigned char left, unsigned char right) {
                                   return std::tolower(left) == std::tolower(right);
                                 });
    if (same && value.is_string()) return value.get<std::string>();
  }
  return std::nullopt;
}

reply wrap(const json& request, encoding form, int status, json body) {
  const json envelope = {
      {"request", request}, {"body", std::move(body)}, {"headers", {{"status", status}}}};
  reply wrapped;
  wrapped.status = status;
  wrapped.body = form == encoding::json ? to_text(envelope) : to_message_pack(envelope);
  return wrapped;
}

reply wrap_error(const json& request, encoding form, const std::exception& problem) {
  if (const auto* error = dynamic_cast<const api_error*>(&problem)) {
    return wrap(request, form, error->status(),
                {{"error", error->what()}, {"exception", error->title()}});
  }
  return wrap(
      request, form, 503,
      {{"error", "The storage did not answer."}, {"exception", "Service temporarily unavailable"}});
}

json decode(std::string_view received, encoding form) {
  try {
    return form == encoding::json ? parse_json(received) : parse_message_pack(received);
  } catch (const api_error& problem) {
    const std::string what = form == encoding::json ? "text (JSON)" : "binary (MessagePack)";
    throw api_error(400, problem.title(),
                    "Can't decode " + what + " request by the server. " + problem.what());
  }
}

// What an answer repeats of its request.
json echo_of(const json& sent) {
  return {{"action", member(sent, "action", nullptr)},
          {"body", member(sent, "body", json::object())},
          {"headers", member(sent, "headers", json::object())},
          {"api", "v2"}};
}

const named_action& find_action(const std::string& name) {
  for (const named_action& each : actions) {
    if (each.name == name) return each;
  }
  for (const char* later : later_actions) {
    if (name == later) throw not_implemented(name);
  }
  throw api_error(400, "Unknown action", name + " is not a valid action");
}

action start(const json& sent, std::size_t size) {
  const json name = member(sent, "action", nullptr);
  const json headers = member(sent, "headers", json::object());
  json body = member(sent, "body", json::object());
  if (!name.is_string() || !headers.is_object() || !body.is_object()) {
    throw api_error(400, "Invalid request", "Schema validation failed.");
  }
  const named_action& found = find_action(name.get<std::string>());
  const call asked{caller_from(header(headers, "Client-ID"), header(headers, "X-Project-ID")),
                   std::move(body), static_cast<std::int64_t>(size)};
  return found.start(asked);
}

operation answer(reply ready) {
  return {access::none, std::move(ready), {}, {}};
}

}  // namespace

operation prepare(std::string_view received, encoding form) {
  auto request = std::make_shared<json>(json::object());
  try {
    const json sent = decode(received, form);
    if (!sent.is_object()) throw api_error(400, "Invalid request", "Schema validation failed.");
    *request = echo_of(sent);
    action started = start(sent, received.size());
    return {started.needs,
            {},
            [request, form, run = std::move(started.run)](store& data) {
              outcome done = run(data);
              return wrap(*request, form, done.status, std::move(done.body));
            },
            [request, form](const std::exception& problem) {
              return wrap_error(*request, form, problem);
            }};
  } catch (const std::exception& problem) {
    return answer(wrap_error(*request, form, problem));
  }
}

queue_key call::queue() const {
  return {who.project, checked_queue_name(text("queue_name"))};
}

std::string call::text(const char* name) const {
  auto found = optional_text(name);
  if (!found) throw invalid_body("Missing \"" + std::string(name) + "\" field.");
  return std::move(*found);
}

std::optional<std::string> call::optional_text(const char* name) const {
  const auto found = body.find(name);
  if (found == body.end() || found->is_null()) return std::nullopt;
  if (!found->is_string()) {
    throw invalid_body("The value of the \"" + std::string(name) + "\" field must be a str.");
  }
  return found->get<std::string>();
}

std::optional<std::int64_t> call::integer(const char* name) const {
  return optional_integer(body, name);
}

bool call::boolean(const char* name) const {
  const auto found = body.find(name);
  if (found == body.end() || found->is_null()) return false;
  if (found->is_boolean()) return found->get<bool>();
  if (found->is_string()) return boolean_from(name, found->get<std::string>());
  throw invalid_body("The value of the \"" + std::string(name) + "\" field must be a bool.");
}

}  // namespace queue_server::websocket_api
