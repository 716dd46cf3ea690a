// The verbs of queues.
#include <chrono>
#include <memory>

#include "verbs/command.hpp"
#include "verbs/errors.hpp"
#include "verbs/metadata.hpp"

namespace queue_server::verbs {

namespace {

// Others have their turn after so long; the clock is looked at after so many queues.
constexpr std::chrono::milliseconds longest_look{5};
constexpr std::int64_t looked_at_at_once = 50;

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

// A list that goes on from where it was: filters may have to look at many queues.
struct listing {
  const rules& allowed;
  std::string project;
  std::string after;
  std::string name;
  metadata_filters wanted;
  results::queue_page page;

  // True: the page is full, or there are no more queues.
  [[nodiscard]] bool go_on(engine& data) {
    const auto end = std::chrono::steady_clock::now() + longest_look;
    const std::int64_t at_once = wanted.empty() ? page.limit : looked_at_at_once;
    do {
      std::vector<queue_entry> found = data.list_queues(project, after, name, at_once);
      const bool last = static_cast<std::int64_t>(found.size()) < at_once;
      for (queue_entry& each : found) {
        after = each.name;
        if (add(std::move(each))) return true;
      }
      if (last) return true;
    } while (std::chrono::steady_clock::now() < end);
    return false;
  }

 private:
  // True: the page is full.
  [[nodiscard]] bool add(queue_entry found) {
    if (page.detailed || !wanted.empty()) {
      const json metadata = full_metadata(allowed, found.metadata);
      if (!has_metadata(metadata, wanted)) return false;
      if (page.detailed) found.metadata = to_text(metadata);
    }
    page.queues.push_back(std::move(found));
    return static_cast<std::int64_t>(page.queues.size()) == page.limit;
  }
};

}  // namespace

command queue_list(const arguments& asked) {
  auto work = std::make_shared<listing>(listing{asked.allowed,
                                                asked.who.project,
                                                asked.optional_text("marker").value_or(""),
                                                asked.optional_text("name").value_or(""),
                                                asked.filters,
                                                {}});
  work->page.limit = asked.page(asked.allowed.max_queues_per_page);
  work->page.detailed = asked.boolean("detailed");
  const bool counted = asked.boolean("with_count");
  return reading(asked, [work, counted](engine& data) -> std::optional<result> {
    if (!work->go_on(data)) return std::nullopt;
    if (counted) work->page.count = data.count_queues(work->project);
    return work->page;
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
