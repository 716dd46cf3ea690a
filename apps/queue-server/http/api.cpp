// The routes, and the rules that hold for every request.
#include "http/api.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <span>

#include "http/parse.hpp"
#include "http/render.hpp"
#include "verbs/errors.hpp"

namespace queue_server::http {

namespace {

using verb = command (*)(const arguments&);

constexpr std::string_view patch_type = "application/openstack-messaging-v2.0-json-patch";

// What a route needs to know of who asks.
enum class identity { needed, not_needed };

// `{q}`, `{m}`, `{c}` and `{s}` stand for the name of a queue and the ids of a message, claim and
// subscription.
struct route {
  std::string_view method;
  std::string_view pattern;
  verb run;
  body_kind body = body_kind::none;
  identity who = identity::needed;
};

command no_such_resource(const arguments&) {
  throw not_found("This server has no topics, pools and flavors.");
}

// One path, two verbs: with ids and without.
command get_messages(const arguments& asked) {
  return asked.field("message_ids") != nullptr ? verbs::message_get_many(asked)
                                               : verbs::message_list(asked);
}

constexpr std::string_view any;  // matches every method

constexpr std::array routes{
    route{"GET", "", nullptr, body_kind::none, identity::not_needed},
    route{"GET", "healthz", verbs::ping_node, body_kind::none, identity::not_needed},
    route{"HEAD", "healthz", verbs::ping_node, body_kind::none, identity::not_needed},
    route{"GET", "v2", verbs::get_home_doc},
    route{"GET", "v2/ping", verbs::ping_node, body_kind::none, identity::not_needed},
    route{"HEAD", "v2/ping", verbs::ping_node, body_kind::none, identity::not_needed},
    route{"GET", "v2/health", verbs::check_node_health},
    route{"GET", "v2/queues", verbs::queue_list},
    route{"PUT", "v2/queues/{q}", verbs::queue_create, body_kind::metadata},
    route{"GET", "v2/queues/{q}", verbs::queue_get},
    route{"PATCH", "v2/queues/{q}", verbs::queue_update, body_kind::changes},
    route{"DELETE", "v2/queues/{q}", verbs::queue_delete},
    route{"GET", "v2/queues/{q}/stats", verbs::queue_get_stats},
    route{"POST", "v2/queues/{q}/purge", verbs::queue_purge, body_kind::fields},
    route{"POST", "v2/queues/{q}/share", verbs::queue_share, body_kind::fields},
    route{"POST", "v2/queues/{q}/messages", verbs::message_post, body_kind::fields},
    route{"GET", "v2/queues/{q}/messages", get_messages},
    route{"DELETE", "v2/queues/{q}/messages", verbs::message_delete_many},
    route{"GET", "v2/queues/{q}/messages/{m}", verbs::message_get},
    route{"DELETE", "v2/queues/{q}/messages/{m}", verbs::message_delete},
    route{"POST", "v2/queues/{q}/claims", verbs::claim_create, body_kind::fields},
    route{"GET", "v2/queues/{q}/claims/{c}", verbs::claim_get},
    route{"PATCH", "v2/queues/{q}/claims/{c}", verbs::claim_update, body_kind::fields},
    route{"DELETE", "v2/queues/{q}/claims/{c}", verbs::claim_delete},
    route{"POST", "v2/queues/{q}/subscriptions", verbs::subscription_create, body_kind::fields},
    route{"GET", "v2/queues/{q}/subscriptions", verbs::subscription_list},
    route{"GET", "v2/queues/{q}/subscriptions/{s}", verbs::subscription_get},
    route{"PATCH", "v2/queues/{q}/subscriptions/{s}", verbs::subscription_update,
          body_kind::fields},
    route{"DELETE", "v2/queues/{q}/subscriptions/{s}", verbs::subscription_delete},
    route{"PUT", "v2/queues/{q}/subscriptions/{s}/confirm", verbs::subscription_confirm,
          body_kind::fields},
    route{"POST", "v2/queues/{q}/subscriptions/{s}/confirm", verbs::subscription_confirm,
          body_kind::fields},
    route{any, "v2/topics", no_such_resource},
    route{any, "v2/topics/{q}", no_such_resource},
    route{any, "v2/pools", no_such_resource},
    route{any, "v2/pools/{m}", no_such_resource},
    route{any, "v2/flavors", no_such_resource},
    route{any, "v2/flavors/{m}", no_such_resource},
};

const char* argument_of(std::string_view placeholder) {
  if (placeholder == "{q}") return "queue_name";
  if (placeholder == "{m}") return "message_id";
  if (placeholder == "{c}") return "claim_id";
  if (placeholder == "{s}") return "subscription_id";
  return nullptr;
}

// Fills in the arguments that the path holds.
bool matches(std::string_view pattern, std::span<const std::string> segments, json& fields) {
  for (const std::string& segment : segments) {
    if (pattern.empty()) return false;
    const std::size_t slash = std::min(pattern.find('/'), pattern.size());
    const std::string_view expected = pattern.substr(0, slash);
    pattern.remove_prefix(std::min(slash + 1, pattern.size()));
    if (const char* name = argument_of(expected)) {
      fields[name] = segment;
    } else if (expected != segment) {
      return false;
    }
  }
  return pattern.empty();
}

const route& find_route(const std::string& method, const target& where, json& fields) {
  std::string allowed;
  for (const route& candidate : routes) {
    json named = json::object();
    if (!matches(candidate.pattern, where.segments, named)) continue;
    if (candidate.method.empty() || candidate.method == method) {
      fields = std::move(named);
      return candidate;
    }
    allowed += (allowed.empty() ? "" : ", ") + std::string(candidate.method);
  }
  if (allowed.empty()) throw not_found("There is nothing at " + where.path + ".");
  throw api_error(405, "Method not allowed", allowed);
}

bool accepts_json(const std::optional<std::string>& accept) {
  if (!accept || accept->empty()) return true;
  for (const char* wanted : {"application/json", "application/*", "*/*", "+json", "json-home"}) {
    if (accept->find(wanted) != std::string::npos) return true;
  }
  return false;
}

void check_media(const request& sent, const route& found) {
  if (!accepts_json(sent.accept)) {
    throw api_error(406, "Not acceptable", "Only application/json can be sent.");
  }
  const bool has_body = sent.method == "POST" || sent.method == "PUT";
  if (has_body && !sent.body.empty() && sent.content_type &&
      sent.content_type->starts_with("application/x-www-form-urlencoded")) {
    throw invalid_request("A request must be application/json, not form data.");
  }
  if (found.body == body_kind::changes &&
      (!sent.content_type || !sent.content_type->starts_with(patch_type))) {
    throw api_error(415, "Unsupported media type",
                    "Metadata is changed by " + std::string(patch_type) + ".");
  }
}

void check_size(const request& sent, const rules& allowed) {
  if (static_cast<std::int64_t>(sent.body.size()) <= allowed.max_messages_post_size) return;
  throw invalid_request("Message collection size is too large. Max size " +
                        std::to_string(allowed.max_messages_post_size));
}

operation prepare_checked(const request& sent, const rules& allowed) {
  const auto where = std::make_shared<const target>(parse_target(sent.target));
  arguments asked(allowed);
  json named;
  const route& found = find_route(sent.method, *where, named);
  check_media(sent, found);
  if (found.run == nullptr) return {versions()};
  if (found.who == identity::needed) {
    asked.who = caller_from(allowed, sent.client_id, sent.project_id);
    if (sent.signature) {
      check_signature(allowed, asked.who.project, *sent.signature, sent.method, where->path);
    }
  }
  if (found.body != body_kind::none) {
    check_size(sent, allowed);
    read_body(found.body, sent, asked);
    asked.body_bytes = static_cast<std::int64_t>(sent.body.size());
  }
  read_query(*where, asked);
  // Last: nothing in the body or the query takes the place of what the path names.
  asked.fields.update(named);
  return {found.run(asked), [where](const result& done) { return render(done, *where); },
          render_error};
}

}  // namespace

operation prepare(const request& asked, const rules& allowed) {
  try {
    return prepare_checked(asked, allowed);
  } catch (const std::exception& problem) {
    return {render_error(problem)};
  }
}

}  // namespace queue_server::http
