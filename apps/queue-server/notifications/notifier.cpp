#include "notifications/notifier.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/url.hpp>
#include <chrono>
#include <deque>
#include <gmr/trace/label.hpp>
#include <list>

#include "log/log.hpp"
#include "verbs/errors.hpp"
#include "verbs/metadata.hpp"
#include "verbs/signing.hpp"
#include "verbs/subscriber.hpp"
#include "verbs/time.hpp"

namespace queue_server {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;

namespace {

constexpr std::size_t most_active = 64;
constexpr std::size_t most_waiting = 10000;
constexpr std::chrono::seconds longest_exchange{10};  // connecting, sending and the answer, each
constexpr std::uint32_t longest_head = 8 * 1024;
constexpr std::uint64_t longest_answer = 64 * 1024;
constexpr std::int64_t confirmation_lifetime = 86400;  // seconds

constexpr auto as_result = asio::as_tuple(asio::deferred);

// One request to one subscriber.
struct notification {
  std::string subscriber;
  std::string body;
  retry_policy retries;
};

std::string text_of_message(const std::string& queue, const std::string& id,
                            const std::string& body) {
  return to_text({{"Message_Type", "Notification"},
                  {"queue_name", queue},
                  {"id", id},
                  {"body", raw_value(body)}});
}

std::string text_of_confirmation(const rules& allowed, const results::subscription_created& made) {
  const std::string path =
      "/v2/queues/" + made.queue.name + "/subscriptions/" + made.id + "/confirm";
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::system_clock::now().time_since_epoch());
  signed_claim claim;
  claim.expires = rfc3339((now.count() + confirmation_lifetime) * milliseconds_a_second);
  claim.methods = "PUT";
  claim.paths = path;
  return to_text({{"Message_Type", "SubscriptionConfirmation"},
                  {"Message", "You have chosen to subscribe to the queue: " + made.queue.name},
                  {"queue_name", made.queue.name},
                  {"SubscribeURL", json::array({path})},
                  {"SubscribeBody", {{"confirmed", true}}},
                  {"UnsubscribeBody", {{"confirmed", false}}},
                  {"X-Project-ID", made.queue.project},
                  {"URL-Signature", sign(allowed, made.queue.project, claim)},
                  {"URL-Methods", json::array({"PUT"})},
                  {"URL-Paths", json::array({path})},
                  {"URL-Expires", claim.expires}});
}

// What a delivery and whoever stops it share; touched on its strand only.
struct delivery {
  delivery(asio::io_context& io, notification told)
      : strand(asio::make_strand(io)),
        stream(strand),
        resolver(strand),
        pause(strand),
        what(std::move(told)) {}

  asio::strand<asio::io_context::executor_type> strand;
  beast::tcp_stream stream;
  tcp::resolver resolver;
  asio::steady_timer pause;
  notification what;
  bool stopping = false;

  void stop() {
    stopping = true;
    stream.cancel();
    resolver.cancel();
    pause.cancel();
  }
};

// A name that must mean this machine must not be made to mean another one.
bool leads_astray(const std::string& host, const tcp::resolver::results_type& found) {
  return host == "localhost" && std::any_of(found.begin(), found.end(), [](const auto& each) {
           return !each.endpoint().address().is_loopback();
         });
}

beast::http::request<beast::http::string_body> request_for(const boost::urls::url_view& url,
                                                           const std::string& body) {
  std::string target(url.encoded_path().empty() ? "/" : std::string(url.encoded_path()));
  if (url.has_query()) target += "?" + std::string(url.encoded_query());
  beast::http::request<beast::http::string_body> made{beast::http::verb::post, target, 11};
  made.set(beast::http::field::host, std::string(url.encoded_host_and_port()));
  made.set(beast::http::field::user_agent, "queue-server");
  made.set(beast::http::field::content_type, "application/json");
  made.set(beast::http::field::connection, "close");
  made.body() = body;
  made.prepare_payload();
  return made;
}

// To the first of its addresses that answers.
asio::awaitable<bool> connect(delivery& one, const tcp::resolver::results_type& where) {
  for (const auto& each : where) {
    one.stream.expires_after(longest_exchange);
    const auto [refused] = co_await one.stream.async_connect(each.endpoint(), as_result);
    if (!refused) co_return true;
    if (one.stopping) break;
  }
  co_return false;
}

// True: it was taken.
asio::awaitable<bool> exchange(delivery& one, const tcp::resolver::results_type& where,
                               const boost::urls::url_view& url) {
  if (!co_await connect(one, where)) co_return false;
  const auto asked = request_for(url, one.what.body);
  one.stream.expires_after(longest_exchange);
  const auto [cut, sent] = co_await beast::http::async_write(one.stream, asked, as_result);
  if (cut) co_return false;
  beast::flat_buffer buffer;
  beast::http::response_parser<beast::http::string_body> answer;
  answer.header_limit(longest_head);
  answer.body_limit(longest_answer);
  one.stream.expires_after(longest_exchange);
  const auto [broken, received] =
      co_await beast::http::async_read_header(one.stream, buffer, answer, as_result);
  co_return !broken && answer.get().result_int() >= 200 && answer.get().result_int() < 300;
}

asio::awaitable<bool> try_once(delivery& one) {
  const boost::urls::url url(one.what.subscriber);  // checked when it was subscribed
  std::string host(url.host_address());
  const std::string port = url.has_port() ? std::string(url.port()) : std::string("80");
  const auto [unknown, found] =
      co_await one.resolver.async_resolve(host, port, tcp::resolver::numeric_service, as_result);
  if (unknown || leads_astray(host, found)) co_return false;
  const bool taken = co_await exchange(one, found, url);
  one.stream.close();
  co_return taken;
}

// Before the retry of that number, counted from 0; nothing: there is none.
std::optional<std::chrono::seconds> pause_before(std::int64_t retry, const retry_policy& policy) {
  if (retry < policy.retries_with_no_delay) return std::chrono::seconds(0);
  retry -= policy.retries_with_no_delay;
  if (retry < policy.minimum_delay_retries) return std::chrono::seconds(policy.minimum_delay);
  retry -= policy.minimum_delay_retries;
  if (retry < policy.maximum_delay_retries) return std::chrono::seconds(policy.maximum_delay);
  return std::nullopt;
}

// A query may hold a secret.
std::string shown(const std::string& subscriber) {
  return subscriber.substr(0, subscriber.find('?'));
}

asio::awaitable<bool> deliver(std::shared_ptr<delivery> one) {
  gmr::set_name("notification");
  gmr::set_label("subscriber", shown(one->what.subscriber));
  // Whoever started this holds a lock that its end takes.
  co_await asio::post(one->strand, asio::deferred);
  for (std::int64_t retry = 0; !one->stopping; ++retry) {
    if (co_await try_once(*one)) co_return true;
    const auto pause = pause_before(retry, one->what.retries);
    if (!pause || one->stopping) break;
    one->pause.expires_after(*pause);
    co_await one->pause.async_wait(as_result);
  }
  co_return false;
}

}  // namespace

class notifier::implementation final : public std::enable_shared_from_this<implementation> {
 public:
  implementation(asio::io_context& io, const rules& allowed, service_log& log)
      : io_(io), allowed_(allowed), log_(log) {}

  void announce(const result& done) {
    if (const auto* posted = std::get_if<results::messages_posted>(&done)) announce(*posted);
    if (const auto* made = std::get_if<results::subscription_created>(&done)) announce(*made);
  }

  void stop() {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    waiting_.clear();
    counts_.waiting = 0;
    for (const std::shared_ptr<delivery>& each : active_)
      asio::post(each->strand, [each] { each->stop(); });
  }

  counts counts_;

 private:
  void announce(const results::messages_posted& posted) {
    for (const subscription& each : posted.told.subscribers) {
      const retry_policy retries = retry_policy_of(each.options, posted.told.metadata);
      for (std::size_t at = 0; at < posted.ids.size(); ++at) {
        add({each.subscriber, text_of_message(posted.queue, posted.ids[at], posted.told.bodies[at]),
             retries});
      }
    }
  }

  void announce(const results::subscription_created& made) {
    if (!made.confirmed) add({made.subscriber, text_of_confirmation(allowed_, made), {}});
  }

  void add(notification told) {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    if (waiting_.size() >= most_waiting) {
      ++counts_.dropped;
      return;
    }
    waiting_.push_back(std::move(told));
    start_some();
  }

  // With the mutex held.
  void start_some() {
    while (!stopping_ && !waiting_.empty() && active_.size() < most_active) {
      notification next = std::move(waiting_.front());
      waiting_.pop_front();
      if (!still_allowed(next.subscriber)) {
        ++counts_.failed;
        continue;
      }
      const auto one = std::make_shared<delivery>(io_, std::move(next));
      const auto place = active_.insert(active_.end(), one);
      asio::co_spawn(
          one->strand, deliver(one),
          [self = shared_from_this(), place](const std::exception_ptr& problem, bool taken) {
            self->ended(place, !problem && taken);
          });
    }
    counts_.waiting = waiting_.size();
    counts_.active = active_.size();
  }

  void ended(std::list<std::shared_ptr<delivery>>::iterator place, bool taken) {
    ++(taken ? counts_.delivered : counts_.failed);
    if (!taken) {
      log_.event("notification failed", {{"subscriber", shown((*place)->what.subscriber)}},
                 severity::warning);
    }
    const std::lock_guard lock(mutex_);
    active_.erase(place);
    start_some();
  }

  // What is allowed may have changed since it was subscribed.
  [[nodiscard]] bool still_allowed(const std::string& subscriber) const {
    try {
      static_cast<void>(checked_subscriber(allowed_, subscriber));
      return true;
    } catch (const api_error&) {
      return false;
    }
  }

  asio::io_context& io_;
  const rules& allowed_;
  service_log& log_;
  std::mutex mutex_;
  std::deque<notification> waiting_;
  std::list<std::shared_ptr<delivery>> active_;
  bool stopping_ = false;
};

notifier::notifier(asio::io_context& io, const rules& allowed, service_log& log)
    : implementation_(std::make_shared<implementation>(io, allowed, log)) {}

notifier::~notifier() = default;

void notifier::announce(const result& done) noexcept {
  try {
    implementation_->announce(done);
  } catch (const std::exception&) {
    ++implementation_->counts_.dropped;  // no memory for it
  }
}

void notifier::stop() {
  implementation_->stop();
}

const notifier::counts& notifier::counted() const noexcept {
  return implementation_->counts_;
}

}  // namespace queue_server
