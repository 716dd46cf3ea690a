// The verbs of subscriptions.
#include <boost/url.hpp>

#include <algorithm>

#include "verbs/command.hpp"
#include "verbs/errors.hpp"
#include "verbs/metadata.hpp"
#include "verbs/subscriber.hpp"

namespace queue_server {

std::string checked_subscriber(const rules& allowed, const std::string& subscriber) {
  const auto url = boost::urls::parse_absolute_uri(subscriber);
  if (!url || url->encoded_host().empty() || url->has_userinfo()) {
    throw invalid_request("A subscriber must be an absolute URL without a user.");
  }
  // Boost.URL ends a host at what is no more of an IPv4 address: 127.0.0.1.example has the path
  // ".example" then.
  const std::string path(url->encoded_path());
  if (!path.empty() && path.front() != '/') {
    throw invalid_request("The host of the subscriber's URL can't be read.");
  }
  if (url->scheme() != "http") throw invalid_request("Subscribers can be told over http only.");
  const std::string host(url->encoded_host());
  const auto& hosts = allowed.subscriber_hosts;
  if (std::find(hosts.begin(), hosts.end(), host) == hosts.end()) {
    throw invalid_request("The host " + host + " is not among those that may be told.");
  }
  return subscriber;
}

namespace verbs {

namespace {

std::int64_t checked_ttl(std::int64_t ttl) {
  check_range("TTL of a subscription", ttl, limits::least_time, std::int64_t{1} << 31);
  return ttl;
}

std::optional<std::string> checked_options(const arguments& asked) {
  const json* sent = asked.field("options");
  if (sent == nullptr) return std::nullopt;
  if (!sent->is_object()) throw invalid_body("\"options\" must be an object.");
  for (const char* other : {"post_data", "post_headers"}) {
    if (sent->contains(other)) {
      throw invalid_request("The option \"" + std::string(other) + "\" is not served.");
    }
  }
  if (const auto policy = sent->find("_retry_policy"); policy != sent->end()) {
    check_retry_policy(*policy);
  }
  std::string text = to_text(*sent);
  if (static_cast<std::int64_t>(text.size()) > asked.allowed.max_queue_metadata) {
    throw invalid_request("The options of a subscription are too large.");
  }
  return text;
}

api_error no_subscription(const std::string& id) {
  return not_found("Subscription " + id + " does not exist.");
}

api_error is_there_already() {
  return {409, "Conflict", "There is a subscription of this subscriber already."};
}

}  // namespace

command subscription_create(const arguments& asked) {
  const bool itself = !asked.socket.empty() && !asked.optional_text("subscriber");
  const new_subscription made{
      itself ? asked.socket : checked_subscriber(asked.allowed, asked.text("subscriber")),
      checked_ttl(asked.integer("ttl").value_or(asked.allowed.default_subscription_ttl)),
      checked_options(asked).value_or("{}"), itself || !asked.allowed.require_confirmation};
  return adding(asked, [queue = asked.queue(), made](engine& data) {
    if (data.list_subscriptions(queue, "", limits::subscribers).size() == limits::subscribers) {
      throw invalid_request("A queue may have " + std::to_string(limits::subscribers) +
                            " subscriptions.");
    }
    const auto id = data.create_subscription(queue, made);
    if (!id) throw is_there_already();
    return results::subscription_created{queue, *id, made.subscriber, made.confirmed};
  });
}

command subscription_list(const arguments& asked) {
  return reading(asked,
                 [queue = asked.queue(), after = asked.optional_text("marker").value_or(""),
                  limit = asked.page(asked.allowed.max_subscriptions_per_page)](engine& data) {
                   return results::subscription_page{
                       queue.name, data.list_subscriptions(queue, after, limit), limit};
                 });
}

command subscription_get(const arguments& asked) {
  return reading(asked, [queue = asked.queue(), id = asked.text("subscription_id")](engine& data) {
    auto found = data.get_subscription(queue, id);
    if (!found) throw no_subscription(id);
    return results::subscription_found{std::move(*found)};
  });
}

command subscription_update(const arguments& asked) {
  subscription_change change;
  change.subscriber = asked.optional_text("subscriber");
  if (change.subscriber) static_cast<void>(checked_subscriber(asked.allowed, *change.subscriber));
  change.ttl = asked.integer("ttl");
  if (change.ttl) static_cast<void>(checked_ttl(*change.ttl));
  change.options = checked_options(asked);
  return writing(asked,
                 [queue = asked.queue(), id = asked.text("subscription_id"), change](engine& data) {
                   switch (data.change_subscription(queue, id, change)) {
                     case change_outcome::absent:
                       throw no_subscription(id);
                     case change_outcome::conflict:
                       throw is_there_already();
                     case change_outcome::done:
                       break;
                   }
                   return results::subscription_changed{};
                 });
}

command subscription_delete(const arguments& asked) {
  return writing(asked, [queue = asked.queue(), id = asked.text("subscription_id")](engine& data) {
    data.delete_subscription(queue, id);
    return results::subscription_deleted{id};
  });
}

command subscription_confirm(const arguments& asked) {
  const json* sent = asked.field("confirmed");
  if (sent == nullptr || !sent->is_boolean()) {
    throw invalid_body("The value of the \"confirmed\" field must be a bool.");
  }
  return writing(asked, [queue = asked.queue(), id = asked.text("subscription_id"),
                         confirmed = sent->get<bool>()](engine& data) {
    if (!data.confirm_subscription(queue, id, confirmed)) throw no_subscription(id);
    return results::subscription_changed{};
  });
}

}  // namespace verbs

}  // namespace queue_server
