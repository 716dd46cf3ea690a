#include "websocket/render.hpp"

#include "verbs/errors.hpp"
#include "verbs/time.hpp"

namespace queue_server::websocket {

namespace {

json shown_message(const message& shown) {
  return {{"id", shown.id},
          {"claim_id", shown.claim_id ? json(*shown.claim_id) : json()},
          {"claim_count", shown.claim_count},
          {"ttl", shown.ttl},
          {"age", shown.age},
          {"body", raw_value(shown.body)}};
}

json shown_messages(const std::vector<message>& shown) {
  json list = json::array();
  for (const message& each : shown)
    list.push_back(shown_message(each));
  return list;
}

json shown_end(const message& shown) {
  return {{"id", shown.id}, {"age", shown.age}, {"created", rfc3339(shown.created)}};
}

json shown_subscription(const subscription& shown) {
  return {{"id", shown.id},
          {"source", shown.source},
          {"subscriber", shown.subscriber},
          {"ttl", shown.ttl},
          {"age", shown.age},
          {"options", stored_json(shown.options)},
          {"confirmed", shown.confirmed}};
}

struct renderer {
  rendered operator()(const results::queue_created& done) const {
    return {done.is_new ? 201 : 204, "Queue " + done.name + " created."};
  }
  rendered operator()(const results::queue_removed& done) const {
    return {204, "Queue " + done.name + " removed."};
  }
  rendered operator()(const results::queue_purged& done) const {
    return {204, "Queue " + done.name + " purged."};
  }
  rendered operator()(const results::queue_page& page) const {
    json listed = json::array();
    for (const queue_entry& entry : page.queues) {
      json& shown = listed.emplace_back(json{{"name", entry.name}});
      if (page.detailed) shown["metadata"] = raw_value(entry.metadata);
    }
    json body = {{"queues", std::move(listed)}};
    if (page.count) body["count"] = *page.count;
    return {200, std::move(body)};
  }
  rendered operator()(const results::queue_metadata& found) const {
    if (!found.exists) throw not_found("Queue " + found.name + " does not exist.");
    return {200, found.metadata};
  }
  rendered operator()(const results::queue_statistics& found) const {
    const queue_stats& counted = found.counted;
    json messages = {{"claimed", counted.claimed},
                     {"free", counted.total - counted.claimed},
                     {"total", counted.total}};
    if (counted.oldest) messages["oldest"] = shown_end(*counted.oldest);
    if (counted.newest) messages["newest"] = shown_end(*counted.newest);
    return {found.exists ? 200 : 404, {{"messages", std::move(messages)}}};
  }
  rendered operator()(const results::queue_shared& done) const { return {200, done.signature}; }

  rendered operator()(const results::messages_posted& done) const {
    return {201, {{"message_ids", done.ids}}};
  }
  rendered operator()(const results::message_page& page) const {
    json body = {{"messages", shown_messages(page.messages)}};
    if (!page.messages.empty()) body["marker"] = std::to_string(page.messages.back().marker);
    return {200, std::move(body)};
  }
  rendered operator()(const results::messages_found& found) const {
    return {200, {{"messages", shown_messages(found.messages)}}};
  }
  rendered operator()(const results::message_found& found) const {
    return {200, {{"messages", shown_message(found.found)}}};
  }
  rendered operator()(const results::messages_popped& done) const {
    return {200, {{"messages", shown_messages(done.messages)}}};
  }
  rendered operator()(const results::messages_deleted&) const { return {204, json::object()}; }

  rendered operator()(const results::claim_created& done) const {
    if (done.made.messages.empty()) return {204, {{"claim_id", nullptr}}};
    return {201, {{"claim_id", done.made.id}, {"messages", shown_messages(done.made.messages)}}};
  }
  rendered operator()(const results::claim_found& found) const {
    return {200,
            {{"ttl", found.found.ttl},
             {"age", found.found.age},
             {"messages", shown_messages(found.found.messages)}}};
  }
  rendered operator()(const results::claim_updated& done) const {
    return {204, "Claim " + done.id + " updated."};
  }
  rendered operator()(const results::claim_deleted& done) const {
    return {204, "Claim " + done.id + " deleted."};
  }

  rendered operator()(const results::subscription_created& done) const {
    return {201, {{"subscription_id", done.id}}};
  }
  rendered operator()(const results::subscription_page& page) const {
    json listed = json::array();
    for (const subscription& each : page.subscriptions)
      listed.push_back(shown_subscription(each));
    return {200, {{"subscriptions", std::move(listed)}}};
  }
  rendered operator()(const results::subscription_found& found) const {
    return {200, shown_subscription(found.found)};
  }
  rendered operator()(const results::subscription_changed&) const { return {204, json::object()}; }
  rendered operator()(const results::subscription_deleted& done) const {
    return {204, "Subscription " + done.id + " removed."};
  }

  rendered operator()(const results::pinged&) const { return {204, json::object()}; }
  rendered operator()(const results::health&) const {
    return {200, {{"catalog_reachable", true}, {"storage_reachable", true}}};
  }
  rendered operator()(const results::home&) const {
    return {200, {{"api", "v2"}, {"id", "2"}, {"status", "CURRENT"}}};
  }
  rendered operator()(const results::authenticated&) const {
    return {200, {{"message", "Authentified."}}};
  }
};

}  // namespace

rendered render(const result& done) {
  return std::visit(renderer{}, done);
}

rendered render_error(const std::exception& problem) {
  if (const auto* error = dynamic_cast<const api_error*>(&problem)) {
    return {error->status(), {{"error", error->what()}, {"exception", error->title()}}};
  }
  return {
      503,
      {{"error", "The storage did not answer."}, {"exception", "Service temporarily unavailable"}}};
}

}  // namespace queue_server::websocket
