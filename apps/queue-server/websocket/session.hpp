// One client that speaks WebSocket, served by one fiber on a protected stack.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include "services.hpp"

namespace queue_server::websocket {

// Starts the fiber that accepts clients until `acceptor` is closed; each client gets its own.
void spawn_acceptor(boost::asio::ip::tcp::acceptor& acceptor, services& shared);

}  // namespace queue_server::websocket
