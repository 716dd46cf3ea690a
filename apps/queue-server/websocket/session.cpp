// Every wait of a session stands in session() itself, so that a report names the line here.
//
// Stacks end in a guard page: a handler that needs too much stops the server at once instead of
// writing over its neighbour.
#include "websocket/session.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <gmr/trace/label.hpp>

#include "api/limits.hpp"
#include "api/websocket.hpp"
#include "peer.hpp"
#include "storage/storage.hpp"

namespace queue_server::websocket {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t stack_bytes = std::size_t{256} * 1024;      // touched as needed only
constexpr std::size_t most_idle_buffer = std::size_t{64} * 1024;  // kept between two messages
constexpr std::chrono::milliseconds pause_after_failed_accept{100};

// What the session and whoever stops it share; touched on the session's strand only.
struct client {
  enum class phase { shaking_hands, waiting, working, closing };

  explicit client(tcp::socket socket) : stream(std::move(socket)) {}
  beast::websocket::stream<beast::tcp_stream> stream;
  phase at = phase::shaking_hands;
  bool stopping = false;
};

void stop(const std::shared_ptr<client>& peer) {
  peer->stopping = true;
  if (peer->at == client::phase::shaking_hands) {
    beast::get_lowest_layer(peer->stream).cancel();
  } else if (peer->at == client::phase::waiting) {
    // The close goes out beside the read, which ends when the peer answers.
    peer->at = client::phase::closing;
    peer->stream.async_close(beast::websocket::close_code::going_away, [peer](error_code) {});
  }
}

void set_up(beast::websocket::stream<beast::tcp_stream>& stream, const services& shared) {
  // Idle clients stay, however long; a handshake, also the closing one, must come to an end.
  stream.set_option(beast::websocket::stream_base::timeout{
      shared.transfer_limit, beast::websocket::stream_base::none(), false});
  stream.read_message_max(limits::largest_request);
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

  error_code problem;
  set_up(stream, shared);
  self->now("shaking hands");
  stream.async_accept(yield[problem]);
  beast::flat_buffer buffer;
  while (!problem && !peer->stopping) {
    self->now("waiting for a message");
    peer->at = client::phase::waiting;
    const std::size_t received = stream.async_read(buffer, yield[problem]);
    self->received(received);
    // A message that crosses the close could not be answered any more, so nothing is done for it.
    if (problem || peer->at == client::phase::closing) return;

    peer->at = client::phase::working;
    self->now("working", stream.got_binary() ? "MessagePack" : "JSON");
    const auto form =
        stream.got_binary() ? websocket_api::encoding::message_pack : websocket_api::encoding::json;
    const auto bytes = buffer.cdata();
    operation work =
        websocket_api::prepare({static_cast<const char*>(bytes.data()), bytes.size()}, form);
    buffer.clear();
    if (buffer.capacity() > most_idle_buffer) buffer.shrink_to_fit();
    reply answer = std::move(work.ready);
    if (work.needs != access::none) {
      self->now("waiting for storage");
      answer = shared.data.async_execute(std::move(work), yield);
    }

    self->now("sending an answer");
    beast::get_lowest_layer(stream).expires_after(shared.transfer_limit);
    stream.binary(form == websocket_api::encoding::message_pack);
    const std::size_t sent = stream.async_write(asio::buffer(answer.body), yield[problem]);
    beast::get_lowest_layer(stream).expires_never();
    self->sent(sent);
  }
  if (!problem) {
    self->now("closing");
    stream.async_close(beast::websocket::close_code::going_away, yield[problem]);
  }
}

// False when there is no memory for its stack: this client is turned away, not those to come.
bool begin_session(tcp::socket socket, services& shared) try {
  const auto strand = socket.get_executor();
  const auto peer = std::make_shared<client>(std::move(socket));
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
