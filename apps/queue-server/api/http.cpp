// The routes, the rules that hold for every request, and the shapes that all handlers share.
#include "api/http.hpp"

#include <algorithm>
#include <array>
#include <boost/url.hpp>
#include <span>

#include "api/errors.hpp"
#include "api/http_call.hpp"
#include "api/limits.hpp"

namespace queue_server::http_api {

namespace {

// `{q}` stands for the name of a queue, `{i}` for the id of an item.
struct route {
  std::string_view method;
  std::string_view pattern;
  operation (*handle)(const call&);
};

operation versions(const call&) {
  const json version = {
      {"id", "2"},
      {"status", "CURRENT"},
      {"updated", "2014-9-24T04:06:47Z"},
      {"media-types",
       {{{"base", "application/json"}, {"type", "application/vnd.openstack.messaging-v2+json"}}}},
      {"links", {{{"href", "/v2/"}, {"rel", "self"}}}}};
  return answer(json_reply(300, {{"versions", {version}}}));
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
            {"limit", "param/limit"},
            {"marker", "param/marker"}}},
          {"hints", {{"allow", allowed}, {"formats", {{"application/json", json::object()}}}}}};
}

operation home(const call&) {
  json body = {{"resources", json::object()}};
  json& resources = body["resources"];
  resources["rel/queues"] = resource("/v2/queues{?marker,limit,detailed}", {"GET"});
  resources["rel/queue"] = resource("/v2/queues/{queue_name}", {"GET", "PUT", "DELETE"});
  resources["rel/queue_stats"] = resource("/v2/queues/{queue_name}/stats", {"GET"});
  resources["rel/messages"] =
      resource("/v2/queues/{queue_name}/messages{?limit,marker}", {"GET", "POST", "DELETE"});
  resources["rel/message"] =
      resource("/v2/queues/{queue_name}/messages/{message_id}", {"GET", "DELETE"});
  resources["rel/claims"] = resource("/v2/queues/{queue_name}/claims{?limit}", {"POST"});
  resources["rel/claim"] =
      resource("/v2/queues/{queue_name}/claims/{claim_id}", {"GET", "PATCH", "DELETE"});
  reply shown = json_reply(200, body);
  shown.content_type = "application/json-home";
  shown.headers.emplace_back("Cache-Control", "max-age=86400");
  return answer(std::move(shown));
}

operation ping(const call&) {
  return answer(no_content());
}

operation later(const call& asked) {
  throw not_implemented(asked.path);
}

constexpr std::string_view every_method;  // matches any

constexpr std::array routes{
    route{"GET", "", versions},
    route{"GET", "v2", home},
    route{"GET", "v2/ping", ping},
    route{"HEAD", "v2/ping", ping},
    route{"GET", "v2/queues", list_queues},
    route{"PUT", "v2/queues/{q}", create_queue},
    route{"GET", "v2/queues/{q}", get_queue},
    route{"DELETE", "v2/queues/{q}", delete_queue},
    route{"PATCH", "v2/queues/{q}", later},
    route{"GET", "v2/queues/{q}/stats", queue_statistics},
    route{"POST", "v2/queues/{q}/messages", post_messages},
    route{"GET", "v2/queues/{q}/messages", list_messages},
    route{"DELETE", "v2/queues/{q}/messages", delete_messages},
    route{"GET", "v2/queues/{q}/messages/{i}", get_message},
    route{"DELETE", "v2/queues/{q}/messages/{i}", delete_message},
    route{"POST", "v2/queues/{q}/claims", create_claim},
    route{"GET", "v2/queues/{q}/claims/{i}", get_claim},
    route{"PATCH", "v2/queues/{q}/claims/{i}", update_claim},
    route{"DELETE", "v2/queues/{q}/claims/{i}", delete_claim},
    route{every_method, "v2/queues/{q}/purge", later},
    route{every_method, "v2/queues/{q}/share", later},
    route{every_method, "v2/queues/{q}/subscriptions", later},
    route{every_method, "v2/queues/{q}/subscriptions/{i}", later},
    route{every_method, "v2/queues/{q}/subscriptions/{i}/confirm", later},
    route{every_method, "v2/topics", later},
    route{every_method, "v2/topics/{q}", later},
    route{every_method, "v2/pools", later},
    route{every_method, "v2/pools/{i}", later},
    route{every_method, "v2/flavors", later},
    route{every_method, "v2/flavors/{i}", later},
    route{every_method, "v2/health", later},
};

bool matches(std::string_view pattern, std::span<const std::string> segments, call& asked) {
  for (const std::string& segment : segments) {
    if (pattern.empty()) return false;
    const std::size_t slash = std::min(pattern.find('/'), pattern.size());
    const std::string_view expected = pattern.substr(0, slash);
    pattern.remove_prefix(std::min(slash + 1, pattern.size()));
    if (expected == "{q}") {
      asked.queue.name = segment;
    } else if (expected == "{i}") {
      asked.item = segment;
    } else if (expected != segment) {
      return false;
    }
  }
  return pattern.empty();
}

// A path, or what proxies are sent: a whole URL, whose host is nobody else's than this server's.
boost::urls::url_view parse_target(const std::string& target) {
  if (const auto path = boost::urls::parse_origin_form(target)) return *path;
  const auto url = boost::urls::parse_absolute_uri(target);
  if (!url || !url->has_authority()) throw invalid_request("The request's target is not a path.");
  return *url;
}

// Of a path: the segments, without the empty one that a trailing slash leaves.
std::vector<std::string> read_target(const std::string& target, call& asked) {
  const boost::urls::url_view url = parse_target(target);
  asked.path = url.path();
  std::vector<std::string> segments;
  for (const std::string& segment : url.segments())
    segments.push_back(segment);
  if (!segments.empty() && segments.back().empty()) segments.pop_back();
  boost::urls::encoding_opts options;
  options.space_as_plus = true;
  for (const auto& parameter : url.params(options)) {
    asked.parameters.emplace(parameter.key, parameter.value);
  }
  return segments;
}

const route& find_route(const std::string& method, std::span<const std::string> segments,
                        call& asked) {
  std::string allowed;
  for (const route& candidate : routes) {
    call named;
    if (!matches(candidate.pattern, segments, named)) continue;
    if (candidate.method.empty() || candidate.method == method) {
      asked.queue.name = named.queue.name;
      asked.item = named.item;
      return candidate;
    }
    allowed += (allowed.empty() ? "" : ", ") + std::string(candidate.method);
  }
  if (allowed.empty()) throw not_found("There is nothing at " + asked.path + ".");
  throw api_error(405, "Method not allowed", allowed);
}

bool accepts_json(const std::optional<std::string>& accept) {
  if (!accept || accept->empty()) return true;
  for (const char* wanted : {"application/json", "application/*", "*/*", "+json", "json-home"}) {
    if (accept->find(wanted) != std::string::npos) return true;
  }
  return false;
}

void check_rules(const request& sent, const route& found, call& asked) {
  if (!accepts_json(sent.accept)) {
    throw api_error(406, "Not acceptable", "Only application/json can be sent.");
  }
  const bool has_body = sent.method == "POST" || sent.method == "PUT";
  if (has_body && !sent.body.empty() && sent.content_type &&
      sent.content_type->starts_with("application/x-www-form-urlencoded")) {
    throw invalid_request("A request must be application/json, not form data.");
  }
  if (found.pattern.empty()) return;
  asked.who = caller_from(sent.client_id, sent.project_id);
  asked.queue.project = asked.who.project;
  if (found.pattern.find("{q}") != std::string_view::npos) {
    asked.queue.name = checked_queue_name(std::move(asked.queue.name));
  }
}

reply reply_to(const std::exception& problem) {
  if (const auto* error = dynamic_cast<const api_error*>(&problem)) {
    if (error->status() != 405) return error_reply(error->status(), error->title(), error->what());
    reply told = error_reply(405, error->title(), "Allowed here: " + std::string(error->what()));
    told.headers.emplace_back("Allow", error->what());
    return told;
  }
  // Whatever else went wrong is the server's business; its text stays here.
  return error_reply(503, "Service temporarily unavailable", "The storage did not answer.");
}

}  // namespace

operation prepare(request asked) {
  try {
    call made;
    const std::vector<std::string> segments = read_target(asked.target, made);
    const route& found = find_route(asked.method, segments, made);
    check_rules(asked, found, made);
    made.body = std::move(asked.body);
    operation prepared = found.handle(made);
    prepared.refuse = reply_to;
    return prepared;
  } catch (const std::exception& problem) {
    return answer(reply_to(problem));
  }
}

reply error_reply(int status, const std::string& title, const std::string& description) {
  json body = {{"title", title}, {"description", description}};
  // What a client sent may be quoted here, and need not be UTF-8.
  return {
      status, body.dump(-1, ' ', false, json::error_handler_t::replace), "application/json", {}};
}

std::optional<std::string> call::parameter(const std::string& name) const {
  const auto found = parameters.find(name);
  if (found == parameters.end()) return std::nullopt;
  return found->second;
}

std::optional<std::int64_t> call::integer(const std::string& name) const {
  const auto text = parameter(name);
  if (!text) return std::nullopt;
  return integer_from(name, *text);
}

bool call::boolean(const std::string& name) const {
  const auto text = parameter(name);
  return text && boolean_from(name, *text);
}

std::optional<std::vector<std::string>> call::ids() const {
  const auto [first, last] = parameters.equal_range("ids");
  if (first == last) return std::nullopt;
  std::vector<std::string> ids;
  for (auto each = first; each != last; ++each) {
    std::string_view rest = each->second;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      if (comma > 0) ids.emplace_back(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  checked_count("number of ids", static_cast<std::int64_t>(ids.size()));
  return ids;
}

json call::document() const {
  return body.empty() ? json() : parse_json(body);
}

reply json_reply(int status, const json& body) {
  return {status, to_text(body), "application/json", {}};
}

reply no_content() {
  return {204, {}, {}, {}};
}

operation answer(reply ready) {
  return {access::none, std::move(ready), {}, {}};
}

json next_link(const call& asked, const std::string& marker, std::int64_t limit) {
  boost::urls::url link;
  link.set_path(asked.path);
  auto parameters = link.params();
  for (const auto& [name, value] : asked.parameters) {
    if (name != "marker" && name != "limit") parameters.append({name, value});
  }
  parameters.append({"limit", std::to_string(limit)});
  parameters.append({"marker", marker});
  return {{"rel", "next"}, {"href", std::string(link.buffer())}};
}

std::string queue_path(const std::string& name) {
  return "/v2/queues/" + name;
}

json message_json(const message& shown, const std::string& path) {
  std::string href = path + "/messages/" + shown.id;
  if (shown.claim_id) href += "?claim_id=" + *shown.claim_id;
  return {
      {"id", shown.id},   {"href", std::move(href)},         {"ttl", shown.ttl},
      {"age", shown.age}, {"body", stored_json(shown.body)}, {"claim_count", shown.claim_count}};
}

}  // namespace queue_server::http_api
