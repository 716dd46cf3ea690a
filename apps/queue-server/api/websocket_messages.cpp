// Messages over WebSocket.
#include "api/errors.hpp"
#include "api/websocket_call.hpp"

namespace queue_server::websocket_api {

namespace {

std::vector<std::string> checked_ids(const json& sent) {
  if (!sent.is_array()) throw invalid_body("\"message_ids\" must be a list.");
  checked_count("number of ids", static_cast<std::int64_t>(sent.size()));
  std::vector<std::string> ids;
  for (const json& id : sent) {
    if (!id.is_string()) throw invalid_body("\"message_ids\" must be a list of str.");
    ids.push_back(id.get<std::string>());
  }
  return ids;
}

}  // namespace

json message_json(const message& shown) {
  return {{"id", shown.id},
          {"claim_id", shown.claim_id ? json(*shown.claim_id) : json()},
          {"claim_count", shown.claim_count},
          {"ttl", shown.ttl},
          {"age", shown.age},
          {"body", stored_json(shown.body)}};
}

json messages_json(const std::vector<message>& shown) {
  json list = json::array();
  for (const message& each : shown)
    list.push_back(message_json(each));
  return list;
}

action message_list(const call& asked) {
  message_filter filter;
  filter.limit = checked_page(asked.integer("limit"));
  if (const auto marker = asked.optional_text("marker")) filter.after = checked_marker(*marker);
  if (!asked.boolean("echo")) filter.not_from = asked.who.client;
  filter.include_claimed = asked.boolean("include_claimed");
  filter.include_delayed = asked.boolean("include_delayed");
  return {access::read, [queue = asked.queue(), filter](store& data) {
            const auto found = data.list_messages(queue, filter);
            json body = {{"messages", messages_json(found)}};
            if (!found.empty()) body["marker"] = std::to_string(found.back().marker);
            return outcome{200, std::move(body)};
          }};
}

action message_get(const call& asked) {
  return {access::read, [queue = asked.queue(), id = asked.text("message_id")](store& data) {
            const auto found = data.get_messages(queue, {id});
            if (found.empty()) throw not_found("Message " + id + " does not exist.");
            return outcome{200, {{"messages", message_json(found.front())}}};
          }};
}

action message_get_many(const call& asked) {
  const auto sent = asked.body.find("message_ids");
  auto ids = checked_ids(sent == asked.body.end() ? json() : *sent);
  return {access::read, [queue = asked.queue(), ids = std::move(ids)](store& data) {
            return outcome{200, {{"messages", messages_json(data.get_messages(queue, ids))}}};
          }};
}

action message_post(const call& asked) {
  const auto sent = asked.body.find("messages");
  if (sent == asked.body.end()) {
    throw invalid_body("No messages were found in the request body.");
  }
  auto posted = checked_messages(*sent);
  const auto size = static_cast<std::int64_t>(to_text(*sent).size());
  return {access::write,
          [who = asked.who, queue = asked.queue(), posted = std::move(posted), size](store& data) {
            const auto complete = with_defaults(posted, data.queue_metadata(queue), size);
            return outcome{201, {{"message_ids", data.post(queue, who.client, complete)}}};
          }};
}

action message_delete(const call& asked) {
  return {access::write, [queue = asked.queue(), id = asked.text("message_id"),
                          claim_id = asked.optional_text("claim_id")](store& data) {
            throw_unless_deleted(data.delete_message(queue, id, claim_id));
            return outcome{204, json::object()};
          }};
}

action message_delete_many(const call& asked) {
  const auto sent = asked.body.find("message_ids");
  const auto count = asked.integer("pop");
  if ((sent != asked.body.end()) == count.has_value()) {
    throw invalid_request("Either \"message_ids\" or \"pop\" is needed, and not both.");
  }
  if (count) {
    const std::int64_t most = checked_count("value of pop", *count);
    return {access::write, [queue = asked.queue(), most](store& data) {
              return outcome{200, {{"messages", messages_json(data.pop(queue, most))}}};
            }};
  }
  return {access::write, [queue = asked.queue(), ids = checked_ids(*sent)](store& data) {
            data.delete_messages(queue, ids);
            return outcome{204, json::object()};
          }};
}

}  // namespace queue_server::websocket_api
