#include "websocket/client.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>

namespace queue_server::websocket {

namespace asio = boost::asio;
namespace beast = boost::beast;
using beast::websocket::close_code;
using boost::system::error_code;

namespace {

constexpr std::size_t most_notice_bytes = std::size_t{4} * 1024 * 1024;  // that wait for a client

void close(const std::shared_ptr<client>& peer, close_code why) {
  peer->stopping = true;
  peer->notices.clear();
  if (peer->at == client::phase::shaking_hands) {
    beast::get_lowest_layer(peer->stream).cancel();
  } else if (peer->at == client::phase::waiting) {
    // The close goes out beside the read, which ends when the peer answers.
    peer->at = client::phase::closing;
    peer->stream.async_close(why, [peer](error_code) {});
  }
}

std::string next_notice(client& peer) {
  client::notice& first = peer.notices.front();
  std::string text = first.what->text(first.next);
  if (++first.next == first.what->size()) {
    peer.notice_bytes -= first.what->bytes();
    peer.notices.pop_front();
  }
  return peer.notices_as == encoding::json ? text : to_message_pack(raw_value(text));
}

}  // namespace

void stop(const std::shared_ptr<client>& peer) {
  close(peer, close_code::going_away);
}

void write_notices(const std::shared_ptr<client>& peer) {
  if (peer->writing || peer->at != client::phase::waiting || peer->notices.empty()) return;
  peer->writing = true;
  const auto text = std::make_shared<const std::string>(next_notice(*peer));
  // Not the stream's own limit, which is one for all that it does.
  peer->notice_limit.expires_after(peer->transfer_limit);
  peer->notice_limit.async_wait([weak = std::weak_ptr(peer)](error_code in_time) {
    const auto late = weak.lock();
    if (!in_time && late) beast::get_lowest_layer(late->stream).close();
  });
  peer->stream.binary(peer->notices_as == encoding::message_pack);
  peer->stream.async_write(asio::buffer(*text), [peer, text](error_code problem, std::size_t) {
    peer->notice_limit.cancel();
    if (problem) peer->notices.clear();  // the session's reading fails, too
    give_turn(peer);
  });
}

void tell(const std::shared_ptr<client>& peer, const std::shared_ptr<const posted>& what) {
  if (peer->stopping) return;
  if (!what || (!peer->notices.empty() && peer->notice_bytes + what->bytes() > most_notice_bytes)) {
    return close(peer, close_code::try_again_later);
  }
  peer->notices.push_back({what, 0});
  peer->notice_bytes += what->bytes();
  write_notices(peer);
}

void take_turn(client& peer, const asio::yield_context& yield) {
  peer.answer_waits = true;
  while (peer.writing) {
    error_code woken;
    peer.turn.expires_at(asio::steady_timer::time_point::max());
    peer.turn.async_wait(yield[woken]);
  }
  peer.answer_waits = false;
  peer.writing = true;
}

void give_turn(const std::shared_ptr<client>& peer) {
  peer->writing = false;
  if (peer->answer_waits) {
    peer->turn.cancel();
  } else {
    write_notices(peer);
  }
}

}  // namespace queue_server::websocket
