// Each wait of a session stands in session() or in a function that is named by what it waits for: a
// report shows it.
//
// Stacks end in a guard page: a handler that needs too much stops the server at once instead of
// writing over its neighbour.
#include "websocket/session.hpp"

#include <algorithm>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <gmr/trace/label.hpp>

#include "log/log.hpp"
#include "peer.hpp"
#include "websocket/client.hpp"
#include "work.hpp"

namespace queue_server::websocket {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t stack_bytes = std::size_t{256} * 1024;  // touched as needed only
constexpr std::uint32_t largest_head = 16 * 1024;
constexpr std::size_t read_at_once = std::size_t{16} * 1024;
constexpr std::size_t most_idle_buffer = std::size_t{64} * 1024;  // kept between two messages
constexpr int most_forgotten_at_once = 50;
constexpr std::chrono::milliseconds pause_after_failed_accept{100};

void set_up(beast::websocket::stream<beast::tcp_stream>& stream, const services& shared) {
  // Idle clients stay while they answer pings; a handshake, also the closing one, must come to an
  // end.
  const bool pings = shared.websocket_ping > std::chrono::seconds::zero();
  stream.set_option(
      beast::websocket::stream_base::timeout{shared.transfer_limit,
                                             pings ? std::chrono::seconds(2 * shared.websocket_ping)
                                                   : beast::websocket::stream_base::none(),
                                             pings});
  stream.read_message_max(shared.allowed.largest_request());
}

using upgrade = beast::http::request<beast::http::empty_body>;
using refusal = beast::http::response<beast::http::string_body>;

// A browser says which page opens the connection, and would let any; other clients say nothing.
bool is_foreign(const upgrade& asked, const std::vector<std::string>& origins) {
  const auto found = asked.find(beast::http::field::origin);
  if (found == asked.end()) return false;
  return std::none_of(origins.begin(), origins.end(), [&found](const std::string& known) {
    return known == "*" || beast::iequals(known, found->value());
  });
}

std::optional<refusal> refusal_of(const upgrade& asked, const services& shared) {
  const auto refuse = [&asked](beast::http::status status, const char* why) {
    refusal told{status, asked.version()};
    told.set(beast::http::field::server, "queue-server");
    told.set(beast::http::field::content_type, "text/plain");
    told.body() = why;
    told.keep_alive(false);
    told.prepare_payload();
    return told;
  };
  const auto hosts = asked.equal_range(beast::http::field::host);
  if (std::distance(hosts.first, hosts.second) != 1) {
    return refuse(beast::http::status::bad_request, "One header Host is required.\n");
  }
  const auto path = asked.target().substr(0, asked.target().find('?'));
  if (path != "/" && path != "/v2" && path != "/v2/") {
    return refuse(beast::http::status::not_found, "WebSocket is served at / and /v2.\n");
  }
  if (is_foreign(asked, shared.origins)) {
    return refuse(beast::http::status::forbidden, "Pages of that origin may not connect.\n");
  }
  return std::nullopt;
}

void log_refusal(const client& peer, const refusal& told, std::size_t bytes, service_log& log) {
  access_record record;
  record.protocol = "websocket";
  record.request = "handshake";
  record.peer = name_of_peer(beast::get_lowest_layer(peer.stream).socket());
  record.status = told.result_int();
  record.bytes_out = bytes;
  log.access(record);
}

// False: it is no client of ours, and has been told so.
bool shake_hands(client& peer, const services& shared, const asio::yield_context& yield) {
  auto& stream = peer.stream;
  auto& below = beast::get_lowest_layer(stream);
  beast::flat_buffer buffer(largest_head);
  beast::http::request_parser<beast::http::empty_body> parser;
  parser.header_limit(largest_head);
  error_code problem;
  below.expires_after(shared.transfer_limit);
  beast::http::async_read_header(below, buffer, parser, yield[problem]);
  if (problem) return false;
  auto refused = refusal_of(parser.get(), shared);
  if (refused) {
    const std::size_t sent = beast::http::async_write(below, *refused, yield[problem]);
    log_refusal(peer, *refused, sent, shared.log);
    return false;
  }
  below.expires_never();
  stream.async_accept(parser.get(), yield[problem]);
  // Who sends before there is an answer does not speak WebSocket.
  return !problem && buffer.size() == 0;
}

// Reads a message. One that has begun must come to its end in time, and within the memory that all
// such messages share.
std::size_t receive(client& peer, const services& shared, beast::flat_buffer& buffer,
                    budget::share& memory, const asio::yield_context& yield, error_code& problem) {
  auto& below = beast::get_lowest_layer(peer.stream);
  std::size_t received = 0;
  while (true) {
    received += peer.stream.async_read_some(buffer, read_at_once, yield[problem]);
    if (problem) break;
    if (!memory.set(buffer.size())) {
      problem = asio::error::no_buffer_space;
      break;
    }
    if (peer.stream.is_message_done()) break;
    if (received > 0 && !peer.reading) {
      peer.reading = true;
      below.expires_after(shared.transfer_limit);
    }
  }
  if (peer.reading) below.expires_never();
  peer.reading = false;
  return received;
}

// An answer. Returns the bytes that were sent.
std::size_t send(const std::shared_ptr<client>& peer, const std::string& answer, encoding form,
                 const asio::yield_context& yield, error_code& problem) {
  take_turn(*peer, yield);
  auto& below = beast::get_lowest_layer(peer->stream);
  below.expires_after(peer->transfer_limit);
  peer->stream.binary(form == encoding::message_pack);
  const std::size_t sent = peer->stream.async_write(asio::buffer(answer), yield[problem]);
  below.expires_never();
  give_turn(peer);
  return sent;
}

// What the client subscribed itself to: is forgotten when it goes.
class own_subscriptions final {
 public:
  own_subscriptions(const std::shared_ptr<client>& peer, services& shared)
      : peer_(peer), shared_(shared) {}
  own_subscriptions(const own_subscriptions&) = delete;
  own_subscriptions& operator=(const own_subscriptions&) = delete;
  ~own_subscriptions() {
    if (live_->remove(address_) && !made_.empty()) {
      shared_.data.execute(forget(std::move(made_)));
    }
  }

  // Before something is asked for that may be answered with notifications at once.
  void listen() {
    if (listening_) return;
    listening_ = true;
    live_->add(address_, [weak = std::weak_ptr(peer_)](const std::shared_ptr<const posted>& what) {
      const auto told = weak.lock();
      if (told) asio::post(told->stream.get_executor(), [told, what] { tell(told, what); });
    });
  }

  // Of what was done: a subscription of this client.
  void note(const std::optional<result>& done, encoding form) {
    const auto* made = done ? std::get_if<results::subscription_created>(&*done) : nullptr;
    if (made == nullptr || made->subscriber != address_) return;
    peer_->notices_as = form;
    made_.emplace_back(made->queue, made->id);
  }

  [[nodiscard]] const std::string& address() const noexcept { return address_; }

 private:
  using list = std::vector<std::pair<queue_key, std::string>>;

  static storage_work forget(list gone) {
    const auto left = std::make_shared<list>(std::move(gone));
    return {engine_use::write, left->front().first.project, [left](engine& data) {
              for (int count = 0; count < most_forgotten_at_once && !left->empty(); ++count) {
                data.delete_subscription(left->back().first, left->back().second);
                left->pop_back();
              }
              return left->empty();
            }};
  }

  const std::shared_ptr<client>& peer_;
  services& shared_;
  const std::shared_ptr<live_subscribers> live_ = shared_.told.live();  // may outlive `shared_`
  const std::string address_ = shared_.told.new_address();
  bool listening_ = false;
  list made_;
};

// No notification is written on a connection that nobody reads from any more.
class connection_end final {
 public:
  explicit connection_end(const std::shared_ptr<client>& peer) : peer_(peer) {}
  connection_end(const connection_end&) = delete;
  connection_end& operator=(const connection_end&) = delete;
  ~connection_end() {
    peer_->at = client::phase::closing;
    peer_->notices.clear();
    if (peer_->writing) beast::get_lowest_layer(peer_->stream).close();
  }

 private:
  const std::shared_ptr<client>& peer_;
};

reply answer_to(const std::shared_ptr<operation>& work, encoding form, services& shared,
                own_subscriptions& own, const connections::entry& self,
                const asio::yield_context& yield) {
  if (!needs_storage(*work)) return answer_at_once(*work, shared.data);
  self->now("waiting for storage");
  const storage_outcome done = shared.data.async_execute(work_for_storage(work), yield);
  if (!done.problem) own.note(work->outcome(), form);
  return finish(*work, done, shared.told);
}

void session(const std::shared_ptr<client>& peer, services& shared,
             const asio::yield_context& yield) {
  auto& stream = peer->stream;
  const connections::entry self = shared.clients.add(
      name_of_peer(beast::get_lowest_layer(stream).socket()), "websocket",
      [weak = std::weak_ptr(peer)] {
        const auto stopped = weak.lock();
        if (stopped) asio::post(stopped->stream.get_executor(), [stopped] { stop(stopped); });
      });
  if (!self) return;
  gmr::set_name(name_of_peer(beast::get_lowest_layer(stream).socket()));

  set_up(stream, shared);
  self->now("shaking hands");
  if (!shake_hands(*peer, shared, yield)) return;
  const connection_end at_end(peer);
  own_subscriptions own(peer, shared);
  error_code problem;
  beast::flat_buffer buffer;
  budget::share memory(shared.receiving);
  while (!problem && !peer->stopping) {
    self->now("waiting for a message");
    peer->at = client::phase::waiting;
    write_notices(peer);
    access_record record;
    record.protocol = "websocket";
    record.peer = self->peer();
    record.bytes_in = receive(*peer, shared, buffer, memory, yield, problem);
    self->received(record.bytes_in);
    // A message that crosses the close could not be answered any more, so nothing is done for it.
    if (problem || peer->at == client::phase::closing) return;

    const auto began = std::chrono::steady_clock::now();
    peer->at = client::phase::working;
    const auto form = stream.got_binary() ? encoding::message_pack : encoding::json;
    const auto bytes = buffer.cdata();
    prepared asked = prepare({static_cast<const char*>(bytes.data()), bytes.size()}, form,
                             shared.allowed, own.address());
    if (asked.subscribes) own.listen();
    self->now("working", asked.action);
    record.request = asked.action;
    const auto work = std::make_shared<operation>(std::move(asked.work));
    record.project = work->project();
    buffer.clear();
    memory.release();
    if (buffer.capacity() > most_idle_buffer) buffer.shrink_to_fit();
    const reply answer = answer_to(work, form, shared, own, self, yield);
    self->now("sending an answer");
    record.status = answer.status;
    record.bytes_out = send(peer, answer.body, form, yield, problem);
    self->sent(record.bytes_out);
    record.took = std::chrono::steady_clock::now() - began;
    shared.log.access(record);
  }
  if (!problem) {
    self->now("closing");
    stream.async_close(beast::websocket::close_code::going_away, yield[problem]);
  }
}

// False when there is no memory for its stack: this client is turned away, not those to come.
bool begin_session(tcp::socket socket, services& shared) try {
  const auto strand = socket.get_executor();
  const auto peer = std::make_shared<client>(std::move(socket), shared.transfer_limit);
  asio::spawn(
      strand, std::allocator_arg, boost::context::protected_fixedsize_stack(stack_bytes),
      [peer, &shared](const asio::yield_context& own) { session(peer, shared, own); },
      asio::detached);
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

void accept_clients(tcp::acceptor& acceptor, services& shared, const asio::yield_context& yield) {
  auto& context = static_cast<asio::io_context&>(acceptor.get_executor().context());
  asio::steady_timer pause(acceptor.get_executor());
  gmr::set_name("websocket acceptor");
  gmr::long_running();
  while (acceptor.is_open()) {
    error_code problem;
    tcp::socket socket(asio::make_strand(context.get_executor()));
    acceptor.async_accept(socket, yield[problem]);
    if (problem == asio::error::operation_aborted) continue;
    if (problem) {
      // Most likely there are no descriptors left; a client that leaves brings one back.
      pause.expires_after(pause_after_failed_accept);
      pause.async_wait(yield[problem]);
      continue;
    }
    if (begin_session(std::move(socket), shared)) continue;
    pause.expires_after(pause_after_failed_accept);
    pause.async_wait(yield[problem]);
  }
}

}  // namespace

void spawn_acceptor(tcp::acceptor& acceptor, services& shared) {
  asio::spawn(
      acceptor.get_executor(), std::allocator_arg,
      boost::context::protected_fixedsize_stack(stack_bytes),
      [&acceptor, &shared](const asio::yield_context& yield) {
        accept_clients(acceptor, shared, yield);
      },
      asio::detached);
}

}  // namespace queue_server::websocket
