// Each wait of a session has a function of its own, named by what it waits for: a report shows it.
#include "http/session.hpp"

#include <algorithm>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <gmr/trace/label.hpp>

#include "http/api.hpp"
#include "http/debug_endpoint.hpp"
#include "http/head.hpp"
#include "log/log.hpp"
#include "peer.hpp"
#include "storage/engine/id.hpp"
#include "verbs/time.hpp"
#include "work.hpp"

namespace queue_server::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using request_parser = beast::http::request_parser<beast::http::string_body>;
using response = beast::http::response<beast::http::string_body>;

namespace {

constexpr std::uint32_t largest_header = 16 * 1024;
constexpr std::size_t read_at_once = std::size_t{64} * 1024;
constexpr std::chrono::milliseconds pause_after_failed_accept{100};
// How long, and for how much, a client is listened to after the last answer, so that the reset
// which unread data causes does not take the answer away from it.
constexpr std::chrono::seconds lingering{2};
constexpr std::size_t most_lingering_bytes = std::size_t{4} * 1024 * 1024;

constexpr auto as_result = asio::as_tuple(asio::deferred);

// What the session and whoever stops it share; touched on the session's strand only.
struct client {
  explicit client(tcp::socket socket) : stream(std::move(socket)) {}
  beast::tcp_stream stream;
  bool waits_for_request = false;
  bool stopping = false;

  void stop() {
    stopping = true;
    if (waits_for_request) stream.socket().cancel();
  }
};

// An answer and how it is to be sent.
struct outgoing {
  reply answer;
  unsigned version = 11;
  bool keep_alive = false;
  bool head = false;
};

response http_response(outgoing sent, const std::string& request_id) {
  reply& answer = sent.answer;
  response made{static_cast<beast::http::status>(answer.status), sent.version};
  made.set(beast::http::field::server, "queue-server");
  made.set(beast::http::field::date, http_date());
  made.set("x-openstack-request-id", request_id);
  if (!answer.content_type.empty()) {
    made.set(beast::http::field::content_type, answer.content_type);
  }
  for (const auto& [name, value] : answer.headers)
    made.set(name, value);
  made.keep_alive(sent.keep_alive);
  if (answer.status != 204) made.content_length(answer.body.size());
  if (!sent.head) made.body() = std::move(answer.body);
  return made;
}

// The answer to what could not be read as a request; nothing when there is nobody to tell.
std::optional<reply> complaint(error_code problem) {
  using beast::http::error;
  const auto refuse = [&problem](int status, const char* title) {
    return error_reply(status, title, problem.message());
  };
  if (problem == beast::error::timeout) return refuse(408, "Request timeout");
  if (problem == error::header_limit) return refuse(431, "Request header fields too large");
  if (problem == error::body_limit) return refuse(413, "Payload too large");
  if (problem == error::end_of_stream || problem == error::partial_message) return std::nullopt;
  if (problem.category() == make_error_code(error::bad_method).category()) {
    return refuse(400, "Bad request");
  }
  return std::nullopt;
}

// As a report shows it: a query may hold what is nobody else's to know.
std::string shown_request(const beast::http::request_header<>& received) {
  const beast::string_view target = received.target();
  const std::size_t query = std::min(target.find('?'), target.size());
  return std::string(received.method_string()) + " " + std::string(target.substr(0, query)) +
         (query < target.size() ? "?..." : "");
}

bool is_health_target(beast::string_view target) {
  return target == "/healthz" || target == "/v2/ping";
}

bool expects_continue(const request_parser& parser) {
  return beast::iequals(parser.get()[beast::http::field::expect], "100-continue");
}

// Of what is in the head: before a byte of the body is read.
std::optional<reply> refusal_of(const request_parser& parser, budget::share& memory,
                                std::size_t most_body) {
  if (auto wrong = wrong_head(parser.get())) return wrong;
  const auto length = parser.content_length();
  const std::size_t expected =
      length ? static_cast<std::size_t>(std::min<std::uint64_t>(*length, most_body)) : most_body;
  if (parser.is_done() || memory.set(expected)) return std::nullopt;
  reply busy = error_reply(503, "Service temporarily unavailable",
                           "Too much is being received at this moment.");
  busy.headers.emplace_back("Retry-After", "1");
  return busy;
}

// What came in instead of a request, or the request itself.
struct incoming {
  error_code problem;
  std::optional<reply> refusal;  // its head is wrong, or there is no room for its body
  beast::http::request<beast::http::string_body> request;
};

class conversation final {
 public:
  conversation(std::shared_ptr<client> peer, services& shared, connections::entry self)
      : peer_(std::move(peer)), shared_(shared), self_(std::move(self)) {}

  asio::awaitable<void> run();

 private:
  asio::awaitable<bool> request_begins();
  asio::awaitable<incoming> read_request();
  asio::awaitable<outgoing> serve(beast::http::request<beast::http::string_body> received);
  asio::awaitable<bool> send(outgoing made);
  asio::awaitable<void> see_off();
  void count_in(std::size_t bytes);
  void log(std::uint64_t bytes_out);

  std::shared_ptr<client> peer_;
  services& shared_;
  connections::entry self_;
  budget::share memory_{shared_.receiving};
  beast::tcp_stream& stream_ = peer_->stream;
  beast::flat_buffer buffer_{largest_header + shared_.allowed.largest_request()};
  access_record record_;  // of the request that is being served
  std::chrono::steady_clock::time_point began_;
};

asio::awaitable<void> conversation::run() {
  bool linger = false;
  while (true) {
    if (buffer_.size() == 0 && !co_await request_begins()) break;
    incoming received = co_await read_request();
    outgoing made;
    if (received.refusal) {
      made.answer = std::move(*received.refusal);
    } else if (received.problem) {
      std::optional<reply> told = complaint(received.problem);
      if (!told) break;
      made.answer = std::move(*told);
    } else {
      made = co_await serve(std::move(received.request));
    }
    memory_.release();
    made.keep_alive = made.keep_alive && !peer_->stopping;
    const bool last = !made.keep_alive;
    const bool sent = co_await send(std::move(made));
    linger = sent && last;
    if (!sent || last) break;
  }
  error_code ignored;
  stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  if (linger) co_await see_off();
}

// What has arrived when the session is told to stop is in flight, and still answered.
asio::awaitable<bool> conversation::request_begins() {
  self_->now("waiting for a request");
  if (!peer_->stopping) {
    peer_->waits_for_request = true;
    asio::steady_timer idle(stream_.get_executor());
    if (shared_.idle_limit > std::chrono::seconds::zero()) {
      idle.expires_after(shared_.idle_limit);
      idle.async_wait([weak = std::weak_ptr(peer_)](error_code cancelled) {
        const auto idler = weak.lock();
        if (!cancelled && idler) idler->stop();
      });
    }
    // Not async_wait: that also completes for bytes which have been read since they arrived.
    char next = 0;
    co_await stream_.socket().async_receive(asio::buffer(&next, 1), tcp::socket::message_peek,
                                            as_result);
    peer_->waits_for_request = false;
  }
  error_code gone;
  co_return stream_.socket().available(gone) > 0;
}

asio::awaitable<incoming> conversation::read_request() {
  self_->now("reading a request");
  record_ = {};
  record_.protocol = "http";
  record_.peer = self_->peer();
  record_.request_id = "req-" + new_id();
  began_ = std::chrono::steady_clock::now();
  request_parser parser;
  parser.header_limit(largest_header);
  parser.body_limit(shared_.allowed.largest_request());
  incoming received;
  std::size_t bytes = 0;
  stream_.expires_after(shared_.transfer_limit);
  std::tie(received.problem, bytes) =
      co_await beast::http::async_read_header(stream_, buffer_, parser, as_result);
  count_in(bytes);
  if (!received.problem) record_.request = shown_request(parser.get());
  if (!received.problem)
    received.refusal = refusal_of(parser, memory_, shared_.allowed.largest_request());
  if (received.refusal) co_return received;
  if (!received.problem && expects_continue(parser)) {
    response go_on{beast::http::status::continue_, parser.get().version()};
    std::tie(received.problem, bytes) =
        co_await beast::http::async_write(stream_, go_on, as_result);
    self_->sent(bytes);
  }
  if (!received.problem) {
    std::tie(received.problem, bytes) =
        co_await beast::http::async_read(stream_, buffer_, parser, as_result);
    count_in(bytes);
  }
  if (!received.problem) received.request = parser.release();
  co_return received;
}

asio::awaitable<outgoing> conversation::serve(
    beast::http::request<beast::http::string_body> received) {
  outgoing made{.answer = {},
                .version = received.version(),
                .keep_alive = received.keep_alive(),
                .head = received.method() == beast::http::verb::head};
  self_->now("working", record_.request);
  if (self_.crowded() && !is_health_target(received.target())) {
    made.answer =
        error_reply(503, "Service temporarily unavailable", "There are too many clients.");
    made.answer.headers.emplace_back("Retry-After", "1");
    made.keep_alive = false;
    co_return made;
  }
  if (shared_.debug_endpoints && is_debug_target(received.target())) {
    made.answer = serve_debug(received.method_string(), received.target());
    co_return made;
  }
  request asked = request_of(received);
  asked.body = std::move(received.body());
  record_.client = asked.client_id.value_or("");
  gmr::set_label("client", record_.client);
  const auto work = std::make_shared<operation>(prepare(asked, shared_.allowed));
  record_.project = work->project();
  if (needs_storage(*work)) {
    self_->now("waiting for storage");
    const storage_outcome done =
        co_await shared_.data.async_execute(work_for_storage(work), asio::deferred);
    made.answer = finish(*work, done, shared_.told);
  } else {
    made.answer = answer_at_once(*work, shared_.data);
  }
  co_return made;
}

asio::awaitable<bool> conversation::send(outgoing made) {
  self_->now("sending an answer");
  record_.status = made.answer.status;
  response message = http_response(std::move(made), record_.request_id);
  stream_.expires_after(shared_.transfer_limit);
  const auto [problem, bytes] = co_await beast::http::async_write(stream_, message, as_result);
  self_->sent(bytes);
  stream_.expires_never();
  log(bytes);
  co_return !problem;
}

void conversation::log(std::uint64_t bytes_out) {
  record_.bytes_out = bytes_out;
  record_.took = std::chrono::steady_clock::now() - began_;
  shared_.log.access(record_);
}

void conversation::count_in(std::size_t bytes) {
  self_->received(bytes);
  record_.bytes_in += bytes;
}

// Reads and drops what the client still sends, within limits.
asio::awaitable<void> conversation::see_off() {
  self_->now("closing");
  stream_.expires_after(lingering);
  std::size_t unread = 0;
  while (unread < most_lingering_bytes) {
    buffer_.clear();
    const auto [problem, bytes] =
        co_await stream_.async_read_some(buffer_.prepare(read_at_once), as_result);
    if (problem) break;
    unread += bytes;
  }
}

}  // namespace

asio::awaitable<void> session(tcp::socket socket, services& shared) {
  const auto peer = std::make_shared<client>(std::move(socket));
  connections::entry self =
      shared.clients.add(name_of_peer(peer->stream.socket()), "http", [weak = std::weak_ptr(peer)] {
        const auto stopped = weak.lock();
        if (stopped) asio::post(stopped->stream.get_executor(), [stopped] { stopped->stop(); });
      });
  if (!self) co_return;
  gmr::set_name(name_of_peer(peer->stream.socket()));
  conversation with_client(peer, shared, std::move(self));
  co_await with_client.run();
}

// False when there is no memory for it: this client is turned away, not those to come.
static bool begin_session(tcp::socket socket, services& shared) try {
  const auto strand = socket.get_executor();
  asio::co_spawn(strand, session(std::move(socket), shared), asio::detached);
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

asio::awaitable<void> accept_clients(tcp::acceptor& acceptor, services& shared) {
  const asio::any_io_executor executor = acceptor.get_executor();
  asio::steady_timer pause(executor);
  gmr::set_name("http acceptor");
  gmr::long_running();
  while (acceptor.is_open()) {
    tcp::socket socket(
        asio::make_strand(static_cast<asio::io_context&>(executor.context()).get_executor()));
    const auto [problem] = co_await acceptor.async_accept(socket, as_result);
    if (problem == asio::error::operation_aborted) continue;
    if (!problem && begin_session(std::move(socket), shared)) continue;
    // Most likely there are no descriptors left; a client that leaves brings one back.
    pause.expires_after(pause_after_failed_accept);
    co_await pause.async_wait(as_result);
  }
}

}  // namespace queue_server::http
