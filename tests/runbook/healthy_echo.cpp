// Nothing is wrong here: an echo server of coroutines whose clients keep it as busy as they can,
// and one that is silent.
#include "service.hpp"

namespace {

using namespace runbook;

constexpr int busy_clients = 20;

asio::awaitable<void> echo(tcp::socket client) {
  std::array<char, 1024> text{};
  for (;;) {
    const std::size_t size = co_await client.async_read_some(asio::buffer(text), use_awaitable);
    co_await asio::async_write(client, asio::buffer(text, size), use_awaitable);
  }
}

asio::awaitable<void> accept_clients(tcp::acceptor clients) {
  gmr::long_running();
  for (;;)
    co_spawn(clients.get_executor(), echo(co_await clients.async_accept(use_awaitable)),
             asio::detached);
}

asio::awaitable<void> be_client(tcp::endpoint server) {
  tcp::socket connection{co_await asio::this_coro::executor};
  co_await connection.async_connect(server, use_awaitable);
  std::string text(200, 'x');
  for (;;) {
    co_await asio::async_write(connection, asio::buffer(text), use_awaitable);
    co_await asio::async_read(connection, asio::buffer(text), use_awaitable);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const gmr::reporter reporter{{.name = "healthy_echo", .version = "1"}, options(argc, argv)};
  asio::io_context io;
  tcp::acceptor clients = listener(io);
  const tcp::endpoint server = clients.local_endpoint();
  tcp::socket silent{io};
  silent.connect(server);
  co_spawn(io, accept_clients(std::move(clients)), asio::detached);
  for (int client = 0; client < busy_clients; ++client)
    co_spawn(io, be_client(server), asio::detached);
  co_spawn(io, heartbeat(), asio::detached);
  say_stuck();
  io.run();
}
