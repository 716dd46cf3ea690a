// Queues over HTTP.
#include "api/errors.hpp"
#include "api/http_call.hpp"
#include "api/limits.hpp"
#include "api/time.hpp"

namespace queue_server::http_api {

namespace {

json end_json(const message& shown, const std::string& path) {
  return {{"href", path + "/messages/" + shown.id},
          {"age", shown.age},
          {"created", rfc3339(shown.created)}};
}

}  // namespace

operation list_queues(const call& asked) {
  const std::int64_t limit = checked_page(asked.integer("limit"));
  const bool detailed = asked.boolean("detailed");
  const bool with_count = asked.boolean("with_count");
  return reading([asked, limit, detailed, with_count](store& data) {
    json listed = json::array();
    json links = json::array();
    const auto found = data.list_queues(asked.who.project, asked.parameter("marker").value_or(""),
                                        asked.parameter("name").value_or(""), limit);
    for (const queue_entry& entry : found) {
      json& shown =
          listed.emplace_back(json{{"name", entry.name}, {"href", queue_path(entry.name)}});
      if (detailed) shown["metadata"] = full_metadata(entry.metadata);
    }
    if (!found.empty()) links.push_back(next_link(asked, found.back().name, limit));
    json body = {{"queues", std::move(listed)}, {"links", std::move(links)}};
    if (with_count) body["count"] = data.count_queues(asked.who.project);
    return json_reply(200, body);
  });
}

operation create_queue(const call& asked) {
  const json sent = asked.document();
  const std::string metadata = checked_metadata(sent.is_null() ? json::object() : sent);
  return writing([queue = asked.queue, metadata](store& data) {
    reply made = no_content();
    if (data.create_queue(queue, metadata)) made.status = 201;
    made.headers.emplace_back("Location", queue_path(queue.name));
    return made;
  });
}

operation get_queue(const call& asked) {
  // A queue that was never made is one with nothing set: posting to it would make it.
  return reading([queue = asked.queue](store& data) {
    return json_reply(200, full_metadata(data.queue_metadata(queue).value_or("{}")));
  });
}

operation delete_queue(const call& asked) {
  return writing([queue = asked.queue](store& data) {
    data.delete_queue(queue);
    return no_content();
  });
}

operation queue_statistics(const call& asked) {
  return reading([queue = asked.queue](store& data) {
    const queue_stats counted = data.stats(queue);
    json messages = {{"claimed", counted.claimed},
                     {"free", counted.total - counted.claimed},
                     {"total", counted.total}};
    const std::string path = queue_path(queue.name);
    if (counted.oldest) messages["oldest"] = end_json(*counted.oldest, path);
    if (counted.newest) messages["newest"] = end_json(*counted.newest, path);
    return json_reply(200, {{"messages", std::move(messages)}});
  });
}

}  // namespace queue_server::http_api
