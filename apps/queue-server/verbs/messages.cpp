// The verbs of messages.
#include <algorithm>
#include <chrono>
#include <memory>

#include "verbs/command.hpp"
#include "verbs/errors.hpp"

namespace queue_server::verbs {

namespace {

// A request may hold 20,000 messages: others have their turn after so long. The clock is looked at
// after so many.
constexpr std::chrono::milliseconds longest_turn{5};
constexpr std::size_t posted_at_once = 50;

// A post that goes on from where it was.
struct posting {
  const rules& allowed;
  caller who;
  queue_key queue;
  std::vector<posted_message> sent;
  std::int64_t bytes = 0;
  std::vector<new_message> complete;
  std::vector<std::string> ids;

  [[nodiscard]] results::announcement announced(engine& data) {
    results::announcement told;
    told.project = queue.project;
    for (subscription& each : data.list_subscriptions(queue, "", limits::subscribers)) {
      if (each.confirmed) told.subscribers.push_back(std::move(each));
    }
    if (told.subscribers.empty()) return told;
    told.metadata = data.queue_metadata(queue).value_or("{}");
    told.bodies.reserve(complete.size());
    for (new_message& each : complete)
      told.bodies.push_back(std::move(each.body));
    return told;
  }

  void post_some(engine& data) {
    const auto first = complete.begin() + static_cast<std::ptrdiff_t>(ids.size());
    const auto last =
        first + static_cast<std::ptrdiff_t>(std::min(posted_at_once, complete.size() - ids.size()));
    const auto made = data.post(queue, who.client, {first, last});
    ids.insert(ids.end(), made.begin(), made.end());
  }

  [[nodiscard]] bool go_on(engine& data) {
    if (complete.empty())
      complete = with_defaults(allowed, std::move(sent), data.queue_metadata(queue), bytes);
    const auto end = std::chrono::steady_clock::now() + longest_turn;
    while (ids.size() < complete.size() && std::chrono::steady_clock::now() < end)
      post_some(data);
    return ids.size() == complete.size();
  }
};

api_error needs_claim() {
  return {403, "Unable to delete", "A message can be deleted with the id of its claim only."};
}

message_filter filter_of(const arguments& asked) {
  message_filter filter;
  filter.limit = asked.page(asked.allowed.max_messages_per_page);
  if (const auto marker = asked.optional_text("marker")) filter.after = marker_from(*marker);
  if (!asked.boolean("echo")) filter.not_from = asked.who.client;
  filter.include_claimed = asked.boolean("include_claimed");
  filter.include_delayed = asked.boolean("include_delayed");
  return filter;
}

}  // namespace

command message_post(const arguments& asked) {
  const json* sent = asked.field("messages");
  if (sent == nullptr) throw invalid_body("No messages were found in the request body.");
  const auto measured = [sent] { return static_cast<std::int64_t>(to_text(*sent).size()); };
  auto work = std::make_shared<posting>(posting{asked.allowed,
                                                asked.who,
                                                asked.queue(),
                                                checked_messages(asked.allowed, *sent),
                                                asked.body_bytes ? *asked.body_bytes : measured(),
                                                {},
                                                {}});
  return adding(asked, [work](engine& data) -> std::optional<result> {
    if (!work->go_on(data)) return std::nullopt;
    return results::messages_posted{work->queue.name, work->ids, work->announced(data)};
  });
}

command message_list(const arguments& asked) {
  return reading(asked, [queue = asked.queue(), filter = filter_of(asked)](engine& data) {
    // A marker that is none of ours has nothing after it.
    if (filter.after < 0) return results::message_page{queue.name, {}, filter.limit};
    return results::message_page{queue.name, data.list_messages(queue, filter), filter.limit};
  });
}

command message_get(const arguments& asked) {
  return reading(asked, [queue = asked.queue(), id = asked.text("message_id")](engine& data) {
    auto found = data.get_messages(queue, {id});
    if (found.empty()) throw not_found("Message " + id + " does not exist.");
    return results::message_found{queue.name, std::move(found.front())};
  });
}

command message_get_many(const arguments& asked) {
  auto ids = asked.ids();
  if (!ids) throw invalid_body("\"message_ids\" must be a list.");
  return reading(asked, [queue = asked.queue(), ids = std::move(*ids)](engine& data) {
    return results::messages_found{queue.name, data.get_messages(queue, ids)};
  });
}

command message_delete(const arguments& asked) {
  if (asked.allowed.message_delete_with_claim_id && asked.field("claim_id") == nullptr) {
    throw needs_claim();
  }
  return writing(asked, [queue = asked.queue(), id = asked.text("message_id"),
                         claim_id = asked.optional_text("claim_id")](engine& data) {
    throw_unless_deleted(data.delete_message(queue, id, claim_id));
    return results::messages_deleted{};
  });
}

command message_delete_many(const arguments& asked) {
  auto ids = asked.ids();
  const auto count = asked.integer("pop");
  if (ids.has_value() == count.has_value()) {
    throw invalid_request("Either ids or \"pop\" is needed, and not both.");
  }
  if (count) {
    const std::int64_t most =
        checked_count("value of pop", *count, asked.allowed.max_messages_per_claim_or_pop);
    return writing(asked, [queue = asked.queue(), most](engine& data) {
      return results::messages_popped{data.pop(queue, most)};
    });
  }
  if (asked.allowed.message_delete_with_claim_id) throw needs_claim();
  return writing(asked, [queue = asked.queue(), ids = std::move(*ids)](engine& data) {
    data.delete_messages(queue, ids);
    return results::messages_deleted{};
  });
}

}  // namespace queue_server::verbs
