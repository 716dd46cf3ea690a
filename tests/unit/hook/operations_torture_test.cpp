// Threads start, complete and cancel operations at full speed while another lists them: no green
// thread is ever shown with the descriptor of another.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "coroutine_run.hpp"
#include "gmr/trace/label.hpp"
#include "operation_listing.hpp"

namespace gmr::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

std::atomic<bool> over{false};

tcp::socket connected(asio::io_context& io, tcp::socket& other) {
  const auto strand = asio::make_strand(io);
  tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
  tcp::socket socket{strand};
  socket.connect(acceptor.local_endpoint());
  other = acceptor.accept(strand);
  return socket;
}

// Named after its descriptor; reads, waits and gives up its turn.
asio::awaitable<void> session(asio::io_context& io) {
  while (!over) {
    tcp::socket other{io};
    tcp::socket socket = connected(io, other);
    gmr::set_name(std::to_string(socket.native_handle()));
    std::array<char, 8> buffer{};
    asio::steady_timer timer{socket.get_executor()};
    for (int i = 0; i < 50 && !over; ++i) {
      asio::async_write(other, asio::buffer("x", 1), asio::detached);
      co_await socket.async_read_some(asio::buffer(buffer), quietly);
      timer.expires_after(std::chrono::microseconds{i});
      co_await timer.async_wait(quietly);
      co_await asio::post(socket.get_executor(), asio::use_awaitable);
    }
    asio::post(co_await asio::this_coro::executor, [&socket] { socket.cancel(); });
    co_await socket.async_read_some(asio::buffer(buffer), quietly);
    gmr::set_name("");
  }
}

void fiber_session(asio::io_context& io, const asio::yield_context& yield) {
  while (!over) {
    tcp::socket other{io};
    tcp::socket socket = connected(io, other);
    gmr::set_name(std::to_string(socket.native_handle()));
    std::array<char, 8> buffer{};
    asio::steady_timer timer{yield.get_executor()};
    for (int i = 0; i < 50 && !over; ++i) {
      error_code error;
      asio::async_write(other, asio::buffer("x", 1), asio::detached);
      socket.async_read_some(asio::buffer(buffer), yield[error]);
      timer.expires_after(std::chrono::microseconds{i});
      timer.async_wait(yield[error]);
    }
    gmr::set_name("");
  }
}

TEST(OperationsTorture, EachHasItsOwnDescriptor) {
  asio::io_context io;
  for (int i = 0; i < 20; ++i) {
    asio::co_spawn(asio::make_strand(io), session(io), asio::detached);
    asio::spawn(
        asio::make_strand(io),
        [&io](const asio::yield_context& yield) { fiber_session(io, yield); }, asio::detached);
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&io] { io.run(); });

  int with_descriptor = 0;
  const auto end = std::chrono::steady_clock::now() + 5s;
  while (std::chrono::steady_clock::now() < end || with_descriptor < 100)
    for (const listed_wait& each : list_waits()) {
      if (each.name.empty()) continue;
      EXPECT_LE(each.operations.size(), 3U);
      for (const waiting_operation& operation : each.operations) {
        if (operation.descriptor < 0) continue;
        EXPECT_EQ(operation.kind, "read");
        EXPECT_EQ(std::to_string(operation.descriptor), each.name);
        ++with_descriptor;
      }
    }
  over = true;
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_TRUE(list_waits().empty());
}

}  // namespace
}  // namespace gmr::test
