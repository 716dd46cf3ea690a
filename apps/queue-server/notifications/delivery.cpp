#include "notifications/delivery.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/url.hpp>
#include <gmr/trace/label.hpp>

namespace queue_server {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;

namespace {

constexpr std::chrono::seconds longest_exchange{10};  // connecting, sending and the answer, each
constexpr std::uint32_t longest_head = 8 * 1024;
constexpr std::uint64_t longest_answer = 64 * 1024;

constexpr auto as_result = asio::as_tuple(asio::deferred);

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
  const auto asked = request_for(url, one.body);
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
  const boost::urls::url url(one.subscriber);  // checked when it was subscribed
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

}  // namespace

void delivery::stop() {
  stopping = true;
  stream.cancel();
  resolver.cancel();
}

std::string shown_subscriber(const std::string& subscriber) {
  return subscriber.substr(0, subscriber.find('?'));
}

asio::awaitable<delivery_end> deliver(std::shared_ptr<delivery> one,
                                      std::shared_ptr<std::int64_t> retries, retry_policy policy) {
  gmr::set_name("notification");
  gmr::set_label("subscriber", shown_subscriber(one->subscriber));
  // Whoever started this holds a lock that its end takes.
  co_await asio::post(one->strand, asio::deferred);
  while (!one->stopping) {
    if (co_await try_once(*one)) co_return delivery_end{true, {}};
    const auto pause = pause_before((*retries)++, policy);
    if (!pause || *pause > std::chrono::seconds::zero()) co_return delivery_end{false, pause};
  }
  co_return delivery_end{};
}

}  // namespace queue_server
