// One client: its request is read, and its answer written, whenever the socket is ready.
#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "socket/owned_socket.hpp"
#include "socket/peer.hpp"
#include "socket/response.hpp"

namespace gmr::sockets {

// Never waits. A client that sends or reads nothing for some seconds, or takes too long in all, is
// cut off. Not synchronised.
class connection final {
 public:
  using clock = std::chrono::steady_clock;

  static constexpr std::size_t longest_head = 8192;
  static constexpr std::chrono::seconds patience{5};  // for the request; for a reader to go on
  static constexpr std::chrono::seconds longest_answer{60};
  static constexpr std::chrono::seconds longest_linger{1};

  enum class state {
    reads,      // the request has not come as a whole
    is_asking,  // it has: see `target`
    waits,      // for its answer
    writes,
    lingers,  // has its answer: who is still sending its request would be told of an error only
    ended,
  };

  connection(owned_socket socket, const peer& who, clock::time_point now);

  [[nodiscard]] state now_in() const noexcept { return state_; }
  [[nodiscard]] const peer& who() const noexcept { return who_; }
  [[nodiscard]] std::string target() const { return parser_->get().target(); }
  [[nodiscard]] const owned_socket& socket() const noexcept { return socket_; }

  // The events that poll(2) has to wait for, beside those that it always tells.
  [[nodiscard]] short wanted() const noexcept;
  // By when something has to happen.
  [[nodiscard]] clock::time_point deadline() const noexcept { return deadline_; }

  // Does what can be done. `events`: as poll(2) told.
  void attend(short events, clock::time_point now);
  // The answer will come until then.
  void wait(clock::time_point until) noexcept;
  void give(response answer, clock::time_point now);

 private:
  using parser = boost::beast::http::request_parser<boost::beast::http::empty_body>;

  void read(clock::time_point now);
  void parse(clock::time_point now);
  void write(clock::time_point now);
  void linger(clock::time_point now) noexcept;
  void end() noexcept;

  owned_socket socket_;
  peer who_;
  state state_ = state::reads;
  std::unique_ptr<parser> parser_;
  std::string received_;  // what the parser has not taken
  response answer_;
  std::size_t sent_ = 0;  // of head and body
  clock::time_point deadline_;
  clock::time_point last_;  // when it is cut off, however it goes on
};

}  // namespace gmr::sockets
