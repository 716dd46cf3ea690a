// Claims over WebSocket.
#include "api/errors.hpp"
#include "api/websocket_call.hpp"

namespace queue_server::websocket_api {

namespace {

json claim_json(const claim& shown) {
  return {{"ttl", shown.ttl}, {"age", shown.age}, {"messages", messages_json(shown.messages)}};
}

api_error no_claim(const std::string& id) {
  return not_found("Claim " + id + " does not exist.");
}

}  // namespace

action claim_create(const call& asked) {
  const claim_terms terms = checked_claim_terms(asked.body);
  const std::int64_t limit = checked_page(asked.integer("limit"));
  return {access::write, [queue = asked.queue(), terms, limit](store& data) {
            const claim made = data.create_claim(queue, terms, limit);
            if (made.messages.empty()) return outcome{204, {{"claim_id", nullptr}}};
            return outcome{201,
                           {{"claim_id", made.id}, {"messages", messages_json(made.messages)}}};
          }};
}

action claim_get(const call& asked) {
  return {access::read, [queue = asked.queue(), id = asked.text("claim_id")](store& data) {
            const auto found = data.get_claim(queue, id);
            if (!found) throw no_claim(id);
            return outcome{200, claim_json(*found)};
          }};
}

action claim_update(const call& asked) {
  const claim_terms terms = checked_claim_terms(asked.body);
  return {access::write, [queue = asked.queue(), id = asked.text("claim_id"), terms](store& data) {
            if (!data.update_claim(queue, id, terms)) throw no_claim(id);
            return outcome{204, "Claim " + id + " updated."};
          }};
}

action claim_delete(const call& asked) {
  return {access::write, [queue = asked.queue(), id = asked.text("claim_id")](store& data) {
            data.delete_claim(queue, id);
            return outcome{204, "Claim " + id + " deleted."};
          }};
}

}  // namespace queue_server::websocket_api
