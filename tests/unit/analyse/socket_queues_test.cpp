// Queues of real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "analyse/descriptor.hpp"
#include "analyse/socket_queues.hpp"
#include "support/in_child.hpp"
#include "support/refused_call.hpp"

namespace {

using gmr::analyse::socket_list;
using gmr::analyse::socket_queue_reader;

// A listening socket and two that are connected.
class connection final {
 public:
  connection() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener, plain, size), 0);
    EXPECT_EQ(::listen(listener, 7), 0);
    ::getsockname(listener, plain, &size);
    EXPECT_EQ(::connect(client, plain, size), 0);
    server = ::accept(listener, nullptr, nullptr);
  }
  ~connection() {
    for (const int each : {listener, client, server})
      ::close(each);
  }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  // What was sent has arrived on the loopback by then.
  void send(std::size_t bytes) const {
    const std::string content(bytes, 'x');
    EXPECT_EQ(::send(client, content.data(), bytes, 0), static_cast<ssize_t>(bytes));
    std::string got(bytes, ' ');
    EXPECT_EQ(::recv(server, got.data(), bytes, MSG_PEEK | MSG_WAITALL),
              static_cast<ssize_t>(bytes));
  }

  int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  int client = ::socket(AF_INET, SOCK_STREAM, 0);
  int server = -1;
};

TEST(SocketQueues, OfAConnection) {
  const connection both;
  both.send(3000);
  socket_list sockets;
  socket_queue_reader reader{sockets};
  const auto receiving = reader.read(both.server);
  ASSERT_TRUE(receiving);
  EXPECT_EQ(receiving->receive_bytes, 3000U);
  EXPECT_EQ(receiving->send_bytes, 0U);
  EXPECT_FALSE(receiving->backlog);
  const auto sending = reader.read(both.client);
  ASSERT_TRUE(sending);
  EXPECT_EQ(sending->receive_bytes, 0U);
  EXPECT_EQ(sockets.problem(), "");
}

TEST(SocketQueues, OfAConnectionThatThePeerDoesNotRead) {
  const connection both;
  const std::string content(1 << 20, 'x');
  while (::send(both.client, content.data(), content.size(), MSG_DONTWAIT) > 0) {
  }
  socket_list sockets;
  socket_queue_reader reader{sockets};
  const auto sending = reader.read(both.client);
  ASSERT_TRUE(sending);
  EXPECT_GT(sending->send_bytes.value_or(0), 0U);
}

TEST(SocketQueues, OfASocketThatListens) {
  const connection both;
  const connection more;
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(both.listener, reinterpret_cast<sockaddr*>(&address), &size);
  const int waiting = ::socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(::connect(waiting, reinterpret_cast<sockaddr*>(&address), size), 0);
  socket_list sockets;
  socket_queue_reader reader{sockets};
  const auto found = reader.read(both.listener);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->connections, 1U);
  EXPECT_EQ(found->backlog, 7U);
  EXPECT_FALSE(found->receive_bytes);
  ::close(waiting);
}

TEST(SocketQueues, OfLocalSockets) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  ASSERT_EQ(::send(ends[0], "hello", 5, 0), 5);
  socket_list sockets;
  socket_queue_reader reader{sockets};
  EXPECT_EQ(reader.read(ends[1])->receive_bytes, 5U);
  EXPECT_GE(reader.read(ends[0])->send_bytes.value_or(0), 5U);
  for (const int each : ends)
    ::close(each);
  EXPECT_FALSE(reader.read(STDIN_FILENO));
  EXPECT_FALSE(reader.read(-1));
}

// As RestrictAddressFamilies of systemd does.
TEST(SocketQueues, AreReadFromProcWhereNetlinkIsRefused) {
  const connection both;
  both.send(3000);
  gmr::test::in_child([&] {
    gmr::test::refuse_call(SYS_socket, EAFNOSUPPORT);
    socket_list sockets;
    socket_queue_reader reader{sockets};
    const auto receiving = reader.read(both.server);
    ASSERT_TRUE(receiving);
    EXPECT_EQ(receiving->receive_bytes, 3000U);
    EXPECT_EQ(sockets.problem(), "");
  });
}

TEST(SocketQueues, StandBesideOperations) {
  const connection both;
  both.send(100);
  gmr::report made;
  socket_list sockets;
  gmr::operation_info reading;
  reading.fd = both.server;
  reading.peer = gmr::analyse::describe_descriptor(both.server, sockets);
  gmr::operation_info reused = reading;
  reused.fd = both.client;
  made.green_threads.groups.resize(1);
  made.green_threads.groups[0].operations = {reading, reused};
  gmr::analyse::add_socket_queues(made, sockets, std::chrono::seconds{60});
  const auto& shown = made.green_threads.groups[0].operations;
  ASSERT_TRUE(shown[0].queues);
  EXPECT_EQ(shown[0].queues->receive_bytes, 100U);
  EXPECT_FALSE(shown[1].queues) << "the descriptor is another socket by now";
  EXPECT_TRUE(made.green_threads.notes.empty());

  made.green_threads.groups[0].operations = {reading};
  gmr::analyse::add_socket_queues(made, sockets, std::chrono::milliseconds{-1});
  EXPECT_FALSE(shown[0].queues);
  EXPECT_EQ(made.green_threads.notes.size(), 1U);
}

}  // namespace
