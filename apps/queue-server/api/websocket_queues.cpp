// Queues over WebSocket.
#include "api/errors.hpp"
#include "api/time.hpp"
#include "api/websocket_call.hpp"

namespace queue_server::websocket_api {

namespace {

json end_json(const message& shown) {
  return {{"id", shown.id}, {"age", shown.age}, {"created", rfc3339(shown.created)}};
}

}  // namespace

action queue_list(const call& asked) {
  const std::int64_t limit = checked_page(asked.integer("limit"));
  const bool detailed = asked.boolean("detailed");
  const std::string after = asked.optional_text("marker").value_or("");
  return {access::read, [project = asked.who.project, after, limit, detailed](store& data) {
            json listed = json::array();
            for (const queue_entry& entry : data.list_queues(project, after, "", limit)) {
              json& shown = listed.emplace_back(json{{"name", entry.name}});
              if (detailed) shown["metadata"] = full_metadata(entry.metadata);
            }
            return outcome{200, {{"queues", std::move(listed)}}};
          }};
}

action queue_create(const call& asked) {
  const auto sent = asked.body.find("metadata");
  const std::string metadata =
      checked_metadata(sent == asked.body.end() || sent->is_null() ? json::object() : *sent);
  return {access::write, [queue = asked.queue(), metadata](store& data) {
            const bool made = data.create_queue(queue, metadata);
            return outcome{made ? 201 : 204, "Queue " + queue.name + " created."};
          }};
}

action queue_get(const call& asked) {
  return {access::read, [queue = asked.queue()](store& data) {
            const auto found = data.queue_metadata(queue);
            if (!found) throw not_found("Queue " + queue.name + " does not exist.");
            return outcome{200, full_metadata(*found)};
          }};
}

action queue_delete(const call& asked) {
  return {access::write, [queue = asked.queue()](store& data) {
            data.delete_queue(queue);
            return outcome{204, "Queue " + queue.name + " removed."};
          }};
}

action queue_get_stats(const call& asked) {
  return {access::read, [queue = asked.queue()](store& data) {
            const bool exists = data.queue_metadata(queue).has_value();
            const queue_stats counted = data.stats(queue);
            json messages = {{"claimed", counted.claimed},
                             {"free", counted.total - counted.claimed},
                             {"total", counted.total}};
            if (counted.oldest) messages["oldest"] = end_json(*counted.oldest);
            if (counted.newest) messages["newest"] = end_json(*counted.newest);
            return outcome{exists ? 200 : 404, {{"messages", std::move(messages)}}};
          }};
}

}  // namespace queue_server::websocket_api
