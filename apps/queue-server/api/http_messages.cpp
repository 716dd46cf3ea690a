// Messages over HTTP.
#include "api/errors.hpp"
#include "api/http_call.hpp"
#include "api/limits.hpp"

namespace queue_server::http_api {

namespace {

json messages_json(const std::vector<message>& shown, const std::string& path) {
  json list = json::array();
  for (const message& each : shown)
    list.push_back(message_json(each, path));
  return list;
}

operation get_messages(const call& asked, std::vector<std::string> ids) {
  return reading([queue = asked.queue, ids = std::move(ids)](store& data) {
    const auto found = data.get_messages(queue, ids);
    if (found.empty()) throw not_found("None of the messages exist.");
    return json_reply(200, {{"messages", messages_json(found, queue_path(queue.name))}});
  });
}

operation pop_messages(const call& asked, std::int64_t count) {
  return writing([queue = asked.queue, count](store& data) {
    json popped = json::array();
    for (const message& each : data.pop(queue, count)) {
      popped.push_back({{"id", each.id},
                        {"ttl", each.ttl},
                        {"age", each.age},
                        {"body", stored_json(each.body)},
                        {"claim_id", nullptr},
                        {"claim_count", each.claim_count}});
    }
    return json_reply(200, {{"messages", std::move(popped)}});
  });
}

}  // namespace

operation post_messages(const call& asked) {
  if (asked.body.size() > static_cast<std::size_t>(limits::message_post)) {
    throw invalid_request("Message collection size is too large. Max size " +
                          std::to_string(limits::message_post));
  }
  const json sent = asked.document();
  if (!sent.is_object() || !sent.contains("messages")) {
    throw invalid_body("No messages were found in the request body.");
  }
  auto posted = checked_messages(sent["messages"]);
  const auto size = static_cast<std::int64_t>(asked.body.size());
  return writing(
      [who = asked.who, queue = asked.queue, posted = std::move(posted), size](store& data) {
        const auto ids =
            data.post(queue, who.client, with_defaults(posted, data.queue_metadata(queue), size));
        const std::string path = queue_path(queue.name) + "/messages";
        const std::string each_begins = path + '/';
        json resources = json::array();
        std::string location = path + "?ids=";
        for (const std::string& id : ids) {
          if (!resources.empty()) location += ',';
          location += id;
          resources.push_back(each_begins + id);
        }
        reply made = json_reply(201, {{"resources", std::move(resources)}});
        // A post may hold thousands of messages, and few clients accept a header as long as that.
        if (ids.size() <= static_cast<std::size_t>(limits::max_page)) {
          made.headers.emplace_back("Location", location);
        }
        return made;
      });
}

operation list_messages(const call& asked) {
  if (auto ids = asked.ids()) return get_messages(asked, std::move(*ids));
  message_filter filter;
  filter.limit = checked_page(asked.integer("limit"));
  if (const auto marker = asked.parameter("marker")) filter.after = checked_marker(*marker);
  if (!asked.boolean("echo")) filter.not_from = asked.who.client;
  filter.include_claimed = asked.boolean("include_claimed");
  filter.include_delayed = asked.boolean("include_delayed");
  return reading([asked, filter](store& data) {
    const auto found = data.list_messages(asked.queue, filter);
    json links = json::array();
    if (!found.empty()) {
      links.push_back(next_link(asked, std::to_string(found.back().marker), filter.limit));
    }
    return json_reply(200, {{"messages", messages_json(found, queue_path(asked.queue.name))},
                            {"links", std::move(links)}});
  });
}

operation delete_messages(const call& asked) {
  auto ids = asked.ids();
  const auto count = asked.integer("pop");
  if (ids.has_value() == count.has_value()) {
    throw invalid_request("Either \"ids\" or \"pop\" is needed, and not both.");
  }
  if (count) return pop_messages(asked, checked_count("value of pop", *count));
  return writing([queue = asked.queue, ids = std::move(*ids)](store& data) {
    data.delete_messages(queue, ids);
    return no_content();
  });
}

operation get_message(const call& asked) {
  return reading([queue = asked.queue, id = asked.item](store& data) {
    const auto found = data.get_messages(queue, {id});
    if (found.empty()) throw not_found("Message " + id + " does not exist.");
    return json_reply(200, message_json(found.front(), queue_path(queue.name)));
  });
}

operation delete_message(const call& asked) {
  return writing(
      [queue = asked.queue, id = asked.item, claim_id = asked.parameter("claim_id")](store& data) {
        throw_unless_deleted(data.delete_message(queue, id, claim_id));
        return no_content();
      });
}

}  // namespace queue_server::http_api
