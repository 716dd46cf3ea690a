// A WebSocket connection: its state, and what is written on it. Answers of the session and
// notifications go out one at a time.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket.hpp>
#include <chrono>
#include <deque>
#include <memory>

#include "notifications/posted.hpp"
#include "websocket/api.hpp"

namespace queue_server::websocket {

// What the session, whoever stops it, and whoever tells it something share; touched on the
// session's strand only.
struct client {
  enum class phase { shaking_hands, waiting, working, closing };

  client(boost::asio::ip::tcp::socket socket, std::chrono::seconds limit)
      : stream(std::move(socket)),
        turn(stream.get_executor()),
        notice_limit(stream.get_executor()),
        transfer_limit(limit) {}

  boost::beast::websocket::stream<boost::beast::tcp_stream> stream;
  phase at = phase::shaking_hands;
  bool stopping = false;
  bool reading = false;  // a message that has begun

  // What goes out. The session waits for `turn` while a notification is written.
  bool writing = false;
  bool answer_waits = false;
  boost::asio::steady_timer turn;

  struct notice {
    std::shared_ptr<const posted> what;
    std::size_t next = 0;
  };
  std::deque<notice> notices;
  std::size_t notice_bytes = 0;
  encoding notices_as = encoding::json;
  boost::asio::steady_timer notice_limit;  // for the one that is being written
  const std::chrono::seconds transfer_limit;
};

// Asks the session to end.
void stop(const std::shared_ptr<client>& peer);

// Tells the client, while it waits and nothing else is written. One that does not read fast enough,
// or for which there is no memory (null), is cut off, so that it knows that something is missing.
void tell(const std::shared_ptr<client>& peer, const std::shared_ptr<const posted>& what);

// Goes on with what waits to be told: no notification comes between a request and its answer.
void write_notices(const std::shared_ptr<client>& peer);

// For an answer of the session.
void take_turn(client& peer, const boost::asio::yield_context& yield);
void give_turn(const std::shared_ptr<client>& peer);

}  // namespace queue_server::websocket
