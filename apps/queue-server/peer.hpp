// The other end of a socket, as text. Never resolves names.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>

namespace queue_server {

// "ADDR:PORT", or "unknown" when the peer has gone already.
[[nodiscard]] std::string name_of_peer(const boost::asio::ip::tcp::socket& socket);
[[nodiscard]] std::string name_of(const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace queue_server
