// The envelope of a message, the table of actions, and how an answer is wrapped.
#include "websocket/api.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>

#include "verbs/errors.hpp"
#include "verbs/signing.hpp"
#include "websocket/render.hpp"

namespace queue_server::websocket {

namespace {

command no_such_resource(const arguments&) {
  throw not_found("This server has no pools and flavors.");
}

struct named_action {
  const char* name;
  command (*start)(const arguments&);
  bool anonymous = false;  // who asks does not matter
};

constexpr std::array actions{
    named_action{"queue_list", verbs::queue_list},
    named_action{"queue_create", verbs::queue_create},
    named_action{"queue_get", verbs::queue_get},
    named_action{"queue_delete", verbs::queue_delete},
    named_action{"queue_get_stats", verbs::queue_get_stats},
    named_action{"queue_purge", verbs::queue_purge},
    named_action{"message_list", verbs::message_list},
    named_action{"message_get", verbs::message_get},
    named_action{"message_get_many", verbs::message_get_many},
    named_action{"message_post", verbs::message_post},
    named_action{"message_delete", verbs::message_delete},
    named_action{"message_delete_many", verbs::message_delete_many},
    named_action{"claim_create", verbs::claim_create},
    named_action{"claim_get", verbs::claim_get},
    named_action{"claim_update", verbs::claim_update},
    named_action{"claim_delete", verbs::claim_delete},
    named_action{"subscription_create", verbs::subscription_create},
    named_action{"subscription_list", verbs::subscription_list},
    named_action{"subscription_get", verbs::subscription_get},
    named_action{"subscription_delete", verbs::subscription_delete},
    named_action{"authenticate", verbs::authenticate},
    named_action{"ping_node", verbs::ping_node, true},
    named_action{"check_node_health", verbs::check_node_health},
    named_action{"get_home_doc", verbs::get_home_doc},
    named_action{"pool_list", no_such_resource},
    named_action{"pool_create", no_such_resource},
    named_action{"pool_get", no_such_resource},
    named_action{"pool_get_detail", no_such_resource},
    named_action{"pool_update", no_such_resource},
    named_action{"pool_delete", no_such_resource},
    named_action{"flavor_list", no_such_resource},
    named_action{"flavor_create", no_such_resource},
    named_action{"flavor_get", no_such_resource},
    named_action{"flavor_update", no_such_resource},
    named_action{"flavor_delete", no_such_resource},
};

// The method of HTTP that does the same, and the path: what a signature is for.
struct http_counterpart {
  std::string method;
  std::string path;
};

http_counterpart counterpart_of(std::string_view action, const arguments& asked) {
  const auto has = [action](std::string_view part) { return action.find(part) != action.npos; };
  http_counterpart same{"POST", "/v2/queues"};
  if (has("_list") || has("_get")) same.method = "GET";
  if (has("_delete")) same.method = "DELETE";
  if (has("_update")) same.method = "PATCH";
  if (action == "queue_create") same.method = "PUT";
  if (const auto queue = asked.optional_text("queue_name")) same.path += '/' + *queue;
  if (action.starts_with("message_")) same.path += "/messages";
  if (action.starts_with("claim_")) same.path += "/claims";
  if (action.starts_with("subscription_")) same.path += "/subscriptions";
  if (action == "queue_get_stats") same.path += "/stats";
  if (action == "queue_purge") same.path += "/purge";
  return same;
}

json member(const json& object, const char* name, const json& otherwise) {
  const auto found = object.find(name);
  return found != object.end() ? *found : otherwise;
}

// Of a list of texts, as queue_share gives methods and paths.
std::string joined_texts(const json& list) {
  std::string joined;
  for (const json& each : list) {
    if (!joined.empty()) joined += ',';
    if (each.is_string()) joined += each.get<std::string>();
  }
  return joined;
}

// Header names have no case. Lists are shown as HTTP has them.
std::optional<std::string> header(const json& headers, std::string_view wanted) {
  for (const auto& [name, value] : headers.items()) {
    const bool same = std::equal(name.begin(), name.end(), wanted.begin(), wanted.end(),
                                 [](unsigned char left, unsigned char right) {
                                   return std::tolower(left) == std::tolower(right);
                                 });
    if (same && value.is_string()) return value.get<std::string>();
    if (same && value.is_array()) return joined_texts(value);
  }
  return std::nullopt;
}

// As over HTTP, who sends a signature is held to it.
void heed_signature(const json& headers, std::string_view action, const arguments& asked) {
  const auto signature = header(headers, "URL-Signature");
  if (!signature) return;
  const auto text = [&headers](const char* name) { return header(headers, name).value_or(""); };
  const auto [method, path] = counterpart_of(action, asked);
  check_signature(asked.allowed, asked.who.project,
                  {*signature, text("URL-Expires"), text("URL-Methods"), text("URL-Paths")}, method,
                  path);
}

reply wrap(const json& request, encoding form, rendered shown) {
  const json envelope = {{"request", request},
                         {"body", std::move(shown.body)},
                         {"headers", {{"status", shown.status}}}};
  reply wrapped;
  wrapped.status = shown.status;
  wrapped.body = form == encoding::json ? to_text(envelope) : to_message_pack(envelope);
  return wrapped;
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

const named_action& find_action(const json& request) {
  if (!request["action"].is_string() || !request["headers"].is_object() ||
      !request["body"].is_object()) {
    throw api_error(400, "Invalid request", "Schema validation failed.");
  }
  const auto& name = request["action"].get_ref<const std::string&>();
  for (const named_action& each : actions) {
    if (each.name == name) return each;
  }
  throw api_error(400, "Unknown action", name + " is not a valid action");
}

}  // namespace

prepared prepare(std::string_view received, encoding form, const rules& allowed,
                 const std::string& socket) {
  const auto request = std::make_shared<json>(json::object());
  const char* action = "a message that is no request";
  const auto refuse = [request, form](const std::exception& problem) {
    return wrap(*request, form, render_error(problem));
  };
  try {
    const json sent = decode(received, form);
    if (!sent.is_object()) throw api_error(400, "Invalid request", "Schema validation failed.");
    *request = echo_of(sent);
    const named_action& found = find_action(*request);
    action = found.name;
    arguments asked(allowed);
    if (!found.anonymous) {
      const json& headers = (*request)["headers"];
      asked.who =
          caller_from(allowed, header(headers, "Client-ID"), header(headers, "X-Project-ID"));
    }
    asked.fields = (*request)["body"];
    asked.socket = socket;
    if (!found.anonymous) heed_signature((*request)["headers"], found.name, asked);
    return {{found.start(asked),
             [request, form](const result& done) { return wrap(*request, form, render(done)); },
             refuse},
            action,
            found.start == verbs::subscription_create};
  } catch (const std::exception& problem) {
    return {{refuse(problem)}, action};
  }
}

}  // namespace queue_server::websocket
