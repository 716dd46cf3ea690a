#include "http/render.hpp"

#include "verbs/errors.hpp"
#include "verbs/time.hpp"

namespace queue_server::http {

namespace {

// A post may hold thousands of messages, and few clients accept a header as long as that.
constexpr std::size_t most_ids_in_location = 20;

constexpr const char* retry_after_seconds = "1";

reply json_reply(int status, const json& body) {
  return {status, to_text(body), "application/json", {}};
}

reply no_content() {
  return {204, {}, {}, {}};
}

std::string queue_path(const std::string& name) {
  return "/v2/queues/" + name;
}

json next_link(const target& where, const std::string& marker, std::int64_t limit) {
  return {{"rel", "next"}, {"href", next_href(where, marker, limit)}};
}

json shown_message(const message& shown, const std::string& queue) {
  std::string href = queue_path(queue) + "/messages/" + shown.id;
  if (shown.claim_id) href += "?claim_id=" + *shown.claim_id;
  return {{"id", shown.id},   {"href", std::move(href)},       {"ttl", shown.ttl},
          {"age", shown.age}, {"body", raw_value(shown.body)}, {"claim_count", shown.claim_count}};
}

json shown_messages(const std::vector<message>& shown, const std::string& queue) {
  json list = json::array();
  for (const message& each : shown)
    list.push_back(shown_message(each, queue));
  return list;
}

json shown_end(const message& shown, const std::string& queue) {
  return {{"href", queue_path(queue) + "/messages/" + shown.id},
          {"age", shown.age},
          {"created", rfc3339(shown.created)}};
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

json resource(const char* path, std::initializer_list<const char*> methods) {
  json allowed = json::array();
  for (const char* method : methods)
    allowed.push_back(method);
  return {{"href-template", path},
          {"href-vars",
           {{"queue_name", "param/queue_name"},
            {"message_id", "param/message_id"},
            {"claim_id", "param/claim_id"},
            {"subscription_id", "param/subscription_id"},
            {"limit", "param/limit"},
            {"marker", "param/marker"}}},
          {"hints", {{"allow", allowed}, {"formats", {{"application/json", json::object()}}}}}};
}

struct renderer {
  const target& where;

  reply operator()(const results::queue_created& done) const {
    reply made = no_content();
    if (done.is_new) made.status = 201;
    made.headers.emplace_back("Location", queue_path(done.name));
    return made;
  }
  reply operator()(const results::queue_removed&) const { return no_content(); }
  reply operator()(const results::queue_purged&) const { return no_content(); }
  reply operator()(const results::queue_page& page) const {
    json listed = json::array();
    json links = json::array();
    for (const auto& entry : page.queues) {
      json& shown =
          listed.emplace_back(json{{"name", entry.name}, {"href", queue_path(entry.name)}});
      if (page.detailed) shown["metadata"] = raw_value(entry.metadata);
    }
    if (!page.queues.empty()) {
      links.push_back(next_link(where, page.queues.back().name, page.limit));
    }
    json body = {{"queues", std::move(listed)}, {"links", std::move(links)}};
    if (page.count) body["count"] = *page.count;
    return json_reply(200, body);
  }
  reply operator()(const results::queue_metadata& found) const {
    return json_reply(200, found.metadata);
  }
  reply operator()(const results::queue_statistics& found) const {
    const queue_stats& counted = found.counted;
    json messages = {{"claimed", counted.claimed},
                     {"free", counted.total - counted.claimed},
                     {"total", counted.total}};
    if (counted.oldest) messages["oldest"] = shown_end(*counted.oldest, found.name);
    if (counted.newest) messages["newest"] = shown_end(*counted.newest, found.name);
    return json_reply(200, {{"messages", std::move(messages)}});
  }
  reply operator()(const results::queue_shared& done) const {
    return json_reply(200, done.signature);
  }

  reply operator()(const results::messages_posted& done) const {
    const std::string path = queue_path(done.queue) + "/messages";
    const std::string each_begins = path + '/';
    json resources = json::array();
    std::string location = path + "?ids=";
    for (const std::string& id : done.ids) {
      if (!resources.empty()) location += ',';
      location += id;
      resources.push_back(each_begins + id);
    }
    reply made = json_reply(201, {{"resources", std::move(resources)}});
    if (done.ids.size() <= most_ids_in_location) made.headers.emplace_back("Location", location);
    return made;
  }
  reply operator()(const results::message_page& page) const {
    json links = json::array();
    if (!page.messages.empty()) {
      links.push_back(next_link(where, std::to_string(page.messages.back().marker), page.limit));
    }
    return json_reply(200, {{"messages", shown_messages(page.messages, page.queue)},
                            {"links", std::move(links)}});
  }
  reply operator()(const results::messages_found& found) const {
    if (found.messages.empty()) throw not_found("None of the messages exist.");
    return json_reply(200, {{"messages", shown_messages(found.messages, found.queue)}});
  }
  reply operator()(const results::message_found& found) const {
    return json_reply(200, shown_message(found.found, found.queue));
  }
  reply operator()(const results::messages_popped& done) const {
    json popped = json::array();
    for (const message& each : done.messages) {
      popped.push_back({{"id", each.id},
                        {"ttl", each.ttl},
                        {"age", each.age},
                        {"body", raw_value(each.body)},
                        {"claim_id", nullptr},
                        {"claim_count", each.claim_count}});
    }
    return json_reply(200, {{"messages", std::move(popped)}});
  }
  reply operator()(const results::messages_deleted&) const { return no_content(); }

  reply operator()(const results::claim_created& done) const {
    if (done.made.messages.empty()) return no_content();
    reply made = json_reply(201, {{"messages", shown_messages(done.made.messages, done.queue)}});
    made.headers.emplace_back("Location", queue_path(done.queue) + "/claims/" + done.made.id);
    return made;
  }
  reply operator()(const results::claim_found& found) const {
    return json_reply(200, {{"age", found.found.age},
                            {"ttl", found.found.ttl},
                            {"href", queue_path(found.queue) + "/claims/" + found.found.id},
                            {"messages", shown_messages(found.found.messages, found.queue)}});
  }
  reply operator()(const results::claim_updated&) const { return no_content(); }
  reply operator()(const results::claim_deleted&) const { return no_content(); }

  reply operator()(const results::subscription_created& done) const {
    reply made = json_reply(201, {{"subscription_id", done.id}});
    made.headers.emplace_back("Location",
                              queue_path(done.queue.name) + "/subscriptions/" + done.id);
    return made;
  }
  reply operator()(const results::subscription_page& page) const {
    json listed = json::array();
    json links = json::array();
    for (const subscription& each : page.subscriptions)
      listed.push_back(shown_subscription(each));
    if (!page.subscriptions.empty()) {
      links.push_back(next_link(where, page.subscriptions.back().id, page.limit));
    }
    return json_reply(200, {{"subscriptions", std::move(listed)}, {"links", std::move(links)}});
  }
  reply operator()(const results::subscription_found& found) const {
    return json_reply(200, shown_subscription(found.found));
  }
  reply operator()(const results::subscription_changed&) const { return no_content(); }
  reply operator()(const results::subscription_deleted&) const { return no_content(); }

  reply operator()(const results::pinged&) const { return no_content(); }
  reply operator()(const results::health&) const {
    return json_reply(200, {{"catalog_reachable", true}, {"storage_reachable", true}});
  }
  reply operator()(const results::authenticated&) const { return no_content(); }
  reply operator()(const results::home&) const {
    json body = {{"resources", json::object()}};
    json& resources = body["resources"];
    resources["rel/queues"] = resource("/v2/queues{?marker,limit,detailed}", {"GET"});
    resources["rel/queue"] = resource("/v2/queues/{queue_name}", {"GET", "PUT", "PATCH", "DELETE"});
    resources["rel/queue_stats"] = resource("/v2/queues/{queue_name}/stats", {"GET"});
    resources["rel/queue_share"] = resource("/v2/queues/{queue_name}/share", {"POST"});
    resources["rel/queue_purge"] = resource("/v2/queues/{queue_name}/purge", {"POST"});
    resources["rel/messages"] =
        resource("/v2/queues/{queue_name}/messages{?limit,marker}", {"GET", "POST", "DELETE"});
    resources["rel/message"] =
        resource("/v2/queues/{queue_name}/messages/{message_id}", {"GET", "DELETE"});
    resources["rel/claims"] = resource("/v2/queues/{queue_name}/claims{?limit}", {"POST"});
    resources["rel/claim"] =
        resource("/v2/queues/{queue_name}/claims/{claim_id}", {"GET", "PATCH", "DELETE"});
    resources["rel/subscriptions"] =
        resource("/v2/queues/{queue_name}/subscriptions{?limit,marker}", {"GET", "POST"});
    resources["rel/subscription"] = resource(
        "/v2/queues/{queue_name}/subscriptions/{subscription_id}", {"GET", "PATCH", "DELETE"});
    resources["rel/ping"] = resource("/v2/ping", {"GET"});
    resources["rel/health"] = resource("/v2/health", {"GET"});
    reply shown = json_reply(200, body);
    shown.content_type = "application/json-home";
    shown.headers.emplace_back("Cache-Control", "max-age=86400");
    return shown;
  }
};

}  // namespace

reply render(const result& done, const target& where) {
  return std::visit(renderer{where}, done);
}

reply render_error(const std::exception& problem) {
  if (const auto* error = dynamic_cast<const api_error*>(&problem)) {
    if (error->status() != 405) return error_reply(error->status(), error->title(), error->what());
    reply told = error_reply(405, error->title(), "Allowed here: " + std::string(error->what()));
    told.headers.emplace_back("Allow", error->what());
    return told;
  }
  // Whatever else went wrong is the server's business; its text stays here.
  reply told = error_reply(503, "Service temporarily unavailable", "The storage did not answer.");
  told.headers.emplace_back("Retry-After", retry_after_seconds);
  return told;
}

reply error_reply(int status, const std::string& title, const std::string& description) {
  json body = {{"title", title}, {"description", description}};
  // What a client sent may be quoted here, and need not be UTF-8.
  return {
      status, body.dump(-1, ' ', false, json::error_handler_t::replace), "application/json", {}};
}

reply versions() {
  const json version = {
      {"id", "2"},
      {"status", "CURRENT"},
      {"updated", "2014-9-24T04:06:47Z"},
      {"media-types",
       {{{"base", "application/json"}, {"type", "application/vnd.openstack.messaging-v2+json"}}}},
      {"links", {{{"href", "/v2/"}, {"rel", "self"}}}}};
  return json_reply(300, {{"versions", {version}}});
}

}  // namespace queue_server::http
