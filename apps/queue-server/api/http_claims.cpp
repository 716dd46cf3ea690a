// Claims over HTTP.
#include "api/errors.hpp"
#include "api/http_call.hpp"

namespace queue_server::http_api {

namespace {

json claimed_json(const claim& shown, const std::string& path) {
  json list = json::array();
  for (const message& each : shown.messages)
    list.push_back(message_json(each, path));
  return list;
}

std::string claim_path(const queue_key& queue, const std::string& id) {
  return queue_path(queue.name) + "/claims/" + id;
}

api_error no_claim(const std::string& id) {
  return not_found("Claim " + id + " does not exist or has expired.");
}

}  // namespace

operation create_claim(const call& asked) {
  const claim_terms terms = checked_claim_terms(asked.document());
  const std::int64_t limit = checked_page(asked.integer("limit"));
  return writing([queue = asked.queue, terms, limit](store& data) {
    const claim made = data.create_claim(queue, terms, limit);
    if (made.messages.empty()) return no_content();
    reply answered = json_reply(201, {{"messages", claimed_json(made, queue_path(queue.name))}});
    answered.headers.emplace_back("Location", claim_path(queue, made.id));
    return answered;
  });
}

operation get_claim(const call& asked) {
  return reading([queue = asked.queue, id = asked.item](store& data) {
    const auto found = data.get_claim(queue, id);
    if (!found) throw no_claim(id);
    return json_reply(200, {{"age", found->age},
                            {"ttl", found->ttl},
                            {"href", claim_path(queue, id)},
                            {"messages", claimed_json(*found, queue_path(queue.name))}});
  });
}

operation update_claim(const call& asked) {
  const claim_terms terms = checked_claim_terms(asked.document());
  return writing([queue = asked.queue, id = asked.item, terms](store& data) {
    if (!data.update_claim(queue, id, terms)) throw no_claim(id);
    return no_content();
  });
}

operation delete_claim(const call& asked) {
  return writing([queue = asked.queue, id = asked.item](store& data) {
    data.delete_claim(queue, id);
    return no_content();
  });
}

}  // namespace queue_server::http_api
