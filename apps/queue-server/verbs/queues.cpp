// The verbs of queues.
#include <algorithm>

#include "verbs/command.hpp"
#include "verbs/errors.hpp"
#include "verbs/metadata.hpp"

namespace queue_server::verbs {

namespace {

// Of a purge: which kinds of things. None given: all.
struct purged_kinds {
  bool messages = true;
  bool subscriptions = true;
};

purged_kinds purged_by(const arguments& asked) {
  const json* sent = asked.field("resource_types");
  if (sent == nullptr) return {};
  if (!sent->is_array() || sent->empty()) {
    throw invalid_body("\"resource_types\" must be a list of messages and subscriptions.");
  }
  purged_kinds kinds{false, false};
  for (const json& kind : *sent) {
    if (kind == "messages") {
      kinds.messages = true;
    } else if (kind == "subscriptions") {
      kinds.subscriptions = true;
    } else {
      throw invalid_body("\"resource_types\" may have messages and subscriptions only.");
    }
  }
  return kinds;
}

}  // namespace

command queue_list(const arguments& asked) {
  results::queue_page page;
  page.limit = asked.page(asked.allowed.max_queues_per_page);
  page.detailed = asked.boolean("detailed");
  return reading(asked, [&allowed = asked.allowed, project = asked.who.project, page,
                         after = asked.optional_text("marker").value_or(""),
                         name = asked.optional_text("name").value_or(""),
                         counted = asked.boolean("with_count")](engine& data) {
    results::queue_page found = page;
    found.queues = data.list_queues(project, after, name, page.limit);
    for (queue_entry& each : found.queues) {
      if (page.detailed) each.metadata = to_text(full_metadata(allowed, each.metadata));
    }
    if (counted) found.count = data.count_queues(project);
    return found;
  });
}

command queue_create(const arguments& asked) {
  const json* sent = asked.field("metadata");
  return adding(
      asked, [queue = asked.queue(),
              metadata = checked_metadata(asked.allowed, sent == nullptr ? json::object() : *sent)](
                 engine& data) {
        return results::queue_created{queue.name, data.create_queue(queue, metadata)};
      });
}

command queue_get(const arguments& asked) {
  return reading(asked, [&allowed = asked.allowed, queue = asked.queue()](engine& data) {
    // Posting to a queue that was never made would make it, with nothing set.
    const auto own = data.queue_metadata(queue);
    return results::queue_metadata{queue.name, own.has_value(),
                                   full_metadata(allowed, own.value_or("{}"))};
  });
}

command queue_update(const arguments& asked) {
  const json* sent = asked.field("changes");
  return adding(asked, [&allowed = asked.allowed, queue = asked.queue(),
                        changes = checked_changes(sent == nullptr ? json() : *sent)](engine& data) {
    const auto own = data.queue_metadata(queue);
    if (!own) throw not_found("Queue " + queue.name + " does not exist.");
    const std::string changed =
        checked_metadata(allowed, changed_metadata(allowed, stored_json(*own), changes));
    data.set_queue_metadata(queue, changed);
    return results::queue_metadata{queue.name, true, full_metadata(allowed, changed)};
  });
}

command queue_delete(const arguments& asked) {
  return writing(asked, [queue = asked.queue()](engine& data) {
    data.delete_queue(queue);
    return results::queue_removed{queue.name};
  });
}

command queue_get_stats(const arguments& asked) {
  return reading(asked, [queue = asked.queue()](engine& data) {
    return results::queue_statistics{queue.name, data.queue_metadata(queue).has_value(),
                                     data.stats(queue)};
  });
}

command queue_purge(const arguments& asked) {
  return writing(asked, [queue = asked.queue(), kinds = purged_by(asked)](engine& data) {
    if (kinds.messages) data.purge_messages(queue);
    if (kinds.subscriptions) data.purge_subscriptions(queue);
    return results::queue_purged{queue.name};
  });
}

}  // namespace queue_server::verbs
