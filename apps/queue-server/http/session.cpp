// Each wait of a session has a function of its own, named by what it waits for: a report shows it.
#include "http/session.hpp"

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

#include "api/http.hpp"
#include "api/limits.hpp"
#include "http/debug_endpoint.hpp"
#include "peer.hpp"
#include "storage/storage.hpp"

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

std::optional<std::string> field(const beast::http::fields& fields, beast::string_view name) {
  const auto found = fields.find(name);
  if (found == fields.end()) return std::nullopt;
  return std::string(found->value());
}

http_api::request api_request(beast::http::request<beast::http::string_body>&& received) {
  http_api::request asked;
  asked.method = std::string(received.method_string());
  asked.target = std::string(received.target());
  asked.client_id = field(received, "Client-ID");
  asked.project_id = field(received, "X-Project-Id");
  asked.accept = field(received, "Accept");
  asked.content_type = field(received, "Content-Type");
  asked.body = std::move(received.body());
  return asked;
}

response http_response(reply answer, unsigned version, bool keep_alive, bool head) {
  response made{static_cast<beast::http::status>(answer.status), version};
  made.set(beast::http::field::server, "queue-server");
  if (!answer.content_type.empty()) {
    made.set(beast::http::field::content_type, answer.content_type);
  }
  for (const auto& [name, value] : answer.headers)
    made.set(name, value);
  made.keep_alive(keep_alive);
  if (answer.status != 204) made.content_length(answer.body.size());
  if (!head) made.body() = std::move(answer.body);
  return made;
}

// The answer to what could not be read as a request; nothing when there is nobody to tell.
std::optional<reply> complaint(error_code problem) {
  using beast::http::error;
  const auto refuse = [&problem](int status, const char* title) {
    return http_api::error_reply(status, title, problem.message());
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

bool expects_continue(const request_parser& parser) {
  return beast::iequals(parser.get()[beast::http::field::expect], "100-continue");
}

// What came in instead of a request, or the request itself.
struct incoming {
  error_code problem;
  beast::http::request<beast::http::string_body> request;
};

// An answer and how it is to be sent.
struct outgoing {
  reply answer;
  unsigned version = 11;
  bool keep_alive = false;
  bool head = false;
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

  std::shared_ptr<client> peer_;
  services& shared_;
  connections::entry self_;
  beast::tcp_stream& stream_ = peer_->stream;
  beast::flat_buffer buffer_{largest_header + limits::largest_request};
};

asio::awaitable<void> conversation::run() {
  bool linger = false;
  while (true) {
    if (buffer_.size() == 0 && !co_await request_begins()) break;
    incoming received = co_await read_request();
    outgoing made;
    if (received.problem) {
      std::optional<reply> told = complaint(received.problem);
      if (!told) break;
      made.answer = std::move(*told);
    } else {
      made = co_await serve(std::move(received.request));
    }
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
  request_parser parser;
  parser.header_limit(largest_header);
  parser.body_limit(limits::largest_request);
  incoming received;
  std::size_t bytes = 0;
  stream_.expires_after(shared_.transfer_limit);
  std::tie(received.problem, bytes) =
      co_await beast::http::async_read_header(stream_, buffer_, parser, as_result);
  self_->received(bytes);
  if (!received.problem && expects_continue(parser)) {
    response go_on{beast::http::status::continue_, parser.get().version()};
    std::tie(received.problem, bytes) =
        co_await beast::http::async_write(stream_, go_on, as_result);
    self_->sent(bytes);
  }
  if (!received.problem) {
    std::tie(received.problem, bytes) =
        co_await beast::http::async_read(stream_, buffer_, parser, as_result);
    self_->received(bytes);
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
  self_->now("working",
             std::string(received.method_string()) + " " + std::string(received.target()));
  if (shared_.debug_endpoints && is_debug_target(received.target())) {
    made.answer = serve_debug(received.method_string(), received.target());
    co_return made;
  }
  http_api::request asked = api_request(std::move(received));
  gmr::set_label("client", asked.client_id.value_or(""));
  operation work = http_api::prepare(std::move(asked));
  if (work.needs == access::none) {
    made.answer = std::move(work.ready);
    co_return made;
  }
  self_->now("waiting for storage");
  made.answer = co_await shared_.data.async_execute(std::move(work), asio::deferred);
  co_return made;
}

asio::awaitable<bool> conversation::send(outgoing made) {
  self_->now("sending an answer");
  response message =
      http_response(std::move(made.answer), made.version, made.keep_alive, made.head);
  stream_.expires_after(shared_.transfer_limit);
  const auto [problem, bytes] = co_await beast::http::async_write(stream_, message, as_result);
  self_->sent(bytes);
  stream_.expires_never();
  co_return !problem;
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
