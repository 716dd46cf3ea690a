// Addresses of real sockets, which the kernel tells without asking the sockets themselves.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <future>
#include <string>
#include <thread>

#include "analyse/descriptor.hpp"
#include "support/in_child.hpp"
#include "support/refused_call.hpp"

namespace {

using gmr::analyse::describe_descriptor;
using gmr::analyse::socket_list;

std::string described(int descriptor) {
  socket_list sockets;
  return describe_descriptor(descriptor, sockets);
}

// Any free port of the loopback.
class bound_socket final {
 public:
  bound_socket(int family, int type) : number_(::socket(family, type | SOCK_CLOEXEC, 0)) {
    if (family == AF_INET6) {
      sockaddr_in6 address{};
      address.sin6_family = AF_INET6;
      address.sin6_addr = in6addr_loopback;
      is_bound_ = ::bind(number_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    } else {
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      is_bound_ = ::bind(number_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }
  }
  ~bound_socket() { ::close(number_); }
  bound_socket(const bound_socket&) = delete;
  bound_socket& operator=(const bound_socket&) = delete;

  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool is_bound() const { return is_bound_; }
  [[nodiscard]] int port() const { return ntohs(name().sin6_port); }
  // With a local address of its own.
  void connect_to(const bound_socket& other) const {
    const sockaddr_in6 address = other.name();
    const socklen_t size = address.sin6_family == AF_INET ? sizeof(sockaddr_in) : sizeof address;
    EXPECT_EQ(::connect(number_, reinterpret_cast<const sockaddr*>(&address), size), 0);
  }

 private:
  // The port of both families stands in one place.
  [[nodiscard]] sockaddr_in6 name() const {
    sockaddr_in6 address{};
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(number_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    return address;
  }

  int number_;
  bool is_bound_ = false;
};

struct connected_pair {
  explicit connected_pair(int family) : listener(family, SOCK_STREAM), client(family, SOCK_STREAM) {
    if (!listener.is_bound() || !client.is_bound()) return;
    EXPECT_EQ(::listen(listener.number(), 4), 0);
    client.connect_to(listener);
  }

  // As reports show the client.
  [[nodiscard]] std::string text(const std::string& host) const {
    return "tcp " + host + ':' + std::to_string(client.port()) + " - " + host + ':' +
           std::to_string(listener.port());
  }

  bound_socket listener;
  bound_socket client;
};

TEST(SocketAddresses, OfConnectionsAndSocketsThatListen) {
  const connected_pair both{AF_INET};
  EXPECT_EQ(described(both.client.number()), both.text("127.0.0.1"));
  EXPECT_EQ(described(both.listener.number()),
            "tcp 127.0.0.1:" + std::to_string(both.listener.port()) + " listening");
}

TEST(SocketAddresses, OfVersion6) {
  const connected_pair both{AF_INET6};
  if (!both.client.is_bound()) GTEST_SKIP() << "there is no IPv6 here";
  EXPECT_EQ(described(both.client.number()), both.text("[::1]"));
}

TEST(SocketAddresses, OfUdp) {
  const bound_socket server{AF_INET, SOCK_DGRAM};
  const bound_socket client{AF_INET, SOCK_DGRAM};
  client.connect_to(server);
  const std::string own = "udp 127.0.0.1:";
  EXPECT_EQ(described(server.number()), own + std::to_string(server.port()));
  EXPECT_EQ(described(client.number()),
            own + std::to_string(client.port()) + " - 127.0.0.1:" + std::to_string(server.port()));
}

TEST(SocketAddresses, OfASocketThatIsNewerThanTheListAreFoundAllTheSame) {
  socket_list sockets;
  const bound_socket none{AF_INET, SOCK_STREAM};
  EXPECT_NE(describe_descriptor(none.number(), sockets), "");
  const connected_pair both{AF_INET};
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{60};
  std::string found;
  while (found != both.text("127.0.0.1") && std::chrono::steady_clock::now() < end)
    found = describe_descriptor(both.client.number(), sockets);
  EXPECT_EQ(found, both.text("127.0.0.1"));
}

// Since Linux 5.16 these wait for whoever is inside a call on the socket.
TEST(SocketAddresses, AreKnownWithoutAskingTheSocket) {
  const connected_pair both{AF_INET};
  const std::string expected = both.text("127.0.0.1");
  gmr::test::in_child([&] {
    gmr::test::refuse_call(SYS_getsockname, EPERM);
    gmr::test::refuse_call(SYS_getpeername, EPERM);
    EXPECT_EQ(described(both.client.number()), expected);
  });
}

// As RestrictAddressFamilies of systemd does.
TEST(SocketAddresses, AreReadFromProcWhereNetlinkIsRefused) {
  for (const int family : {AF_INET, AF_INET6}) {
    const connected_pair both{family};
    if (!both.client.is_bound()) continue;
    const std::string expected = both.text(family == AF_INET ? "127.0.0.1" : "[::1]");
    gmr::test::in_child([&] {
      gmr::test::refuse_call(SYS_socket, EAFNOSUPPORT);
      EXPECT_EQ(described(both.client.number()), expected);
    });
  }
}

// Memory whose first use waits until somebody fills it: a call that copies from it is held there.
class memory_that_waits final {
 public:
  memory_that_waits() {
    memory_ = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    faults_ = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC));
    uffdio_api api{};
    api.api = UFFD_API;
    uffdio_register range{};
    range.range = {reinterpret_cast<std::uintptr_t>(memory_), size};
    range.mode = UFFDIO_REGISTER_MODE_MISSING;
    is_ready_ = faults_ >= 0 && ::ioctl(faults_, UFFDIO_API, &api) == 0 &&
                ::ioctl(faults_, UFFDIO_REGISTER, &range) == 0;
  }
  ~memory_that_waits() {
    ::close(faults_);  // whoever waits goes on
    ::munmap(memory_, size);
  }
  memory_that_waits(const memory_that_waits&) = delete;
  memory_that_waits& operator=(const memory_that_waits&) = delete;

  [[nodiscard]] bool is_ready() const { return is_ready_; }
  [[nodiscard]] const void* get() const { return memory_; }
  // Returns when a thread waits in it.
  void wait_for_fault() const {
    uffd_msg told{};
    EXPECT_EQ(::read(faults_, &told, sizeof told), static_cast<ssize_t>(sizeof told));
  }
  void fill() const {
    uffdio_zeropage zero{};
    zero.range = {reinterpret_cast<std::uintptr_t>(memory_), size};
    EXPECT_EQ(::ioctl(faults_, UFFDIO_ZEROPAGE, &zero), 0);
  }

  static constexpr std::size_t size = 4096;

 private:
  void* memory_ = nullptr;
  int faults_ = -1;
  bool is_ready_ = false;
};

TEST(SocketAddresses, AreKnownWhileAThreadHoldsTheLockOfTheSocket) {
  const memory_that_waits memory;
  if (!memory.is_ready()) GTEST_SKIP() << "this process may not hold calls by userfaultfd(2)";
  const connected_pair both{AF_INET};
  std::thread sending{
      [&] { EXPECT_EQ(::send(both.client.number(), memory.get(), 100, MSG_NOSIGNAL), 100); }};
  memory.wait_for_fault();
  auto found = std::async(std::launch::async, [&] { return described(both.client.number()); });
  const auto state = found.wait_for(std::chrono::seconds{20});
  memory.fill();
  sending.join();
  EXPECT_EQ(state, std::future_status::ready) << "it waited for the thread that sends";
  EXPECT_EQ(found.get(), both.text("127.0.0.1"));
}

}  // namespace
