// Whether what is waited for is known with this Boost. Prints what is wrong and ends with 1.
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>

#include "hook/operations/pending_operations.hpp"
#include "probe.hpp"

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

asio::awaitable<void> sleeps(asio::steady_timer& timer) {
  co_await timer.async_wait(asio::use_awaitable);
}
asio::awaitable<void> reads(tcp::socket& socket) {
  std::array<char, 8> buffer{};
  co_await socket.async_read_some(asio::buffer(buffer), asio::use_awaitable);
}

std::uint64_t now() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

struct operation {
  std::string kind;
  bool ready = false;
  int descriptor = -1;
  std::uint64_t expires_at = 0;
};

// Of the only coroutine.
operation the_only_operation(std::string_view what) {
  const gmr::trace::pending_operations pending{now()};
  std::vector<operation> found;
  probe::for_each("Asio coroutines", [&](const gmr::green_thread_view& view) {
    for (const gmr::waiting_operation& each : pending.of(view))
      found.push_back({std::string{each.kind}, each.ready, each.descriptor, each.expires_at});
  });
  if (found.size() != 1)
    probe::fail(std::string{what} + ": " + std::to_string(found.size()) +
                " operations of a coroutine are known instead of 1");
  return found.front();
}

void check(bool right, std::string_view what) {
  if (!right) probe::fail(what);
}

void timer() {
  asio::io_context io;
  asio::steady_timer timer{io, std::chrono::hours{1}};
  asio::co_spawn(io, sleeps(timer), asio::detached);
  io.poll();
  const operation seen = the_only_operation("a timer");
  check(seen.kind == "timer" && !seen.ready, "a timer is shown as '" + seen.kind + "'");
  check(seen.expires_at == static_cast<std::uint64_t>(timer.expiry().time_since_epoch().count()),
        "when a timer expires is not known");
  timer.cancel();
  io.restart();
  io.poll();
  check(gmr::trace::pending_operations{now()}.empty(), "an operation that has ended is seen");
}

void socket() {
  asio::io_context io;
  tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
  tcp::socket client{io};
  client.connect(acceptor.local_endpoint());
  tcp::socket server = acceptor.accept();
  asio::co_spawn(io, reads(server), asio::detached);
  io.poll();
  operation seen = the_only_operation("a read");
  check(seen.kind == "read" && !seen.ready, "a read is shown as '" + seen.kind + "'");
  check(seen.descriptor == server.native_handle(), "the descriptor of a read is not known");
  asio::write(client, asio::buffer("x", 1));
  server.wait(tcp::socket::wait_read);
  seen = the_only_operation("a read that is ready");
  check(seen.ready, "a read is not ready although there is data");
  server.close();
  seen = the_only_operation("a read of a closed socket");
  check(seen.ready && seen.descriptor == -1, "closing a socket is not noticed");
}

void turns() {
  asio::io_context io;
  asio::post(io, [] {});
  const gmr::trace::pending_operations pending{now()};
  for (const gmr::trace::context_load& each : pending.contexts())
    if (each.context == &io && each.queued == 1 && each.pending == 0) return;
  probe::fail("a handler that was posted is not seen in its event loop");
}

}  // namespace

int main() {
  timer();
  socket();
  turns();
}
