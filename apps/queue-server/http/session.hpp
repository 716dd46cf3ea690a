// One client that speaks HTTP/1.1, served by one coroutine.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "services.hpp"

namespace queue_server::http {

// Serves requests one after the other, in the order they come, until the client leaves, breaks the
// rules or the server shuts down. To be spawned on the socket's executor, which must be a strand.
boost::asio::awaitable<void> session(boost::asio::ip::tcp::socket socket, services& shared);

// Accepts clients until `acceptor` is closed.
boost::asio::awaitable<void> accept_clients(boost::asio::ip::tcp::acceptor& acceptor,
                                            services& shared);

}  // namespace queue_server::http
