#include "blocking_calls.hpp"

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace gmr::capture::testing {
namespace {

constexpr timespec an_hour{3600, 0};
constexpr std::size_t mask_bytes = 8;

// Descriptors live as long as the test program: each is used once.
int never_ready() {
  return eventfd(0, 0);
}

int epoll_set() {
  return epoll_create1(0);
}

struct pair {
  int ends[2] = {-1, -1};
};

pair sockets(int option) {
  pair made;
  socketpair(AF_UNIX, SOCK_STREAM, 0, made.ends);
  constexpr timeval long_time{3600, 0};
  if (option != 0) setsockopt(made.ends[0], SOL_SOCKET, option, &long_time, sizeof long_time);
  return made;
}

void fill(int descriptor) {
  const int flags = fcntl(descriptor, F_GETFL);
  fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
  std::array<char, 4096> bytes{};
  while (write(descriptor, bytes.data(), bytes.size()) > 0) {
  }
  while (write(descriptor, bytes.data(), 1) > 0) {
  }
  fcntl(descriptor, F_SETFL, flags);
}

int full_socket(int option) {
  const int socket = sockets(option).ends[0];
  fill(socket);
  return socket;
}

int listening_socket(int option, sockaddr_un& address) {
  const int made = socket(AF_UNIX, SOCK_STREAM, 0);
  address = {AF_UNIX, {}};  // the kernel picks an abstract name
  bind(made, reinterpret_cast<sockaddr*>(&address), sizeof address.sun_family);
  socklen_t size = sizeof address;
  getsockname(made, reinterpret_cast<sockaddr*>(&address), &size);
  listen(made, 0);
  constexpr timeval long_time{3600, 0};
  if (option != 0) setsockopt(made, SOL_SOCKET, option, &long_time, sizeof long_time);
  return made;
}

long connect_to_full(int option) {
  sockaddr_un address{};
  listening_socket(0, address);
  const auto* const to = reinterpret_cast<const sockaddr*>(&address);
  constexpr socklen_t size = sizeof address.sun_family + 6;
  while (connect(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), to, size) == 0) {
  }
  const int client = socket(AF_UNIX, SOCK_STREAM, 0);
  constexpr timeval long_time{3600, 0};
  if (option != 0) setsockopt(client, SOL_SOCKET, option, &long_time, sizeof long_time);
  return syscall(SYS_connect, client, to, size);
}

long accept_nobody(long number, int option) {
  sockaddr_un address{};
  return syscall(number, listening_socket(option, address), nullptr, nullptr, 0);
}

long receive(long number, int option) {
  const int from = sockets(option).ends[0];
  char byte = 0;
  iovec part{&byte, 1};
  mmsghdr message{};
  message.msg_hdr.msg_iov = &part;
  message.msg_hdr.msg_iovlen = 1;
  switch (number) {
    case SYS_read:
      return syscall(number, from, &byte, 1);
    case SYS_readv:
      return syscall(number, from, &part, 1);
    case SYS_recvfrom:
      return syscall(number, from, &byte, 1, 0, nullptr, nullptr);
    case SYS_recvmsg:
      return syscall(number, from, &message.msg_hdr, 0);
    default:
      return syscall(number, from, &message, 1, 0, nullptr);
  }
}

long send_to_full(long number, int option) {
  const int to = full_socket(option);
  char byte = 0;
  iovec part{&byte, 1};
  mmsghdr message{};
  message.msg_hdr.msg_iov = &part;
  message.msg_hdr.msg_iovlen = 1;
  switch (number) {
    case SYS_write:
      return syscall(number, to, &byte, 1);
    case SYS_writev:
      return syscall(number, to, &part, 1);
    case SYS_sendto:
      return syscall(number, to, &byte, 1, 0, nullptr, 0);
    case SYS_sendmsg:
      return syscall(number, to, &message.msg_hdr, 0);
    case SYS_sendmmsg:
      return syscall(number, to, &message, 1, 0);
    default: {
      off_t begin = 0;
      return syscall(number, to, open("/proc/self/exe", O_RDONLY), &begin, 4096);
    }
  }
}

long poll_with(long number) {
  pollfd polled{never_ready(), POLLIN, 0};
#ifdef SYS_poll
  if (number == SYS_poll) return syscall(number, &polled, 1, -1);
#endif
  return syscall(number, &polled, 1, nullptr, nullptr, mask_bytes);
}

long select_with(long number) {
  const int ready = never_ready();
  fd_set set;
  FD_ZERO(&set);
  FD_SET(ready, &set);
  return syscall(number, ready + 1, &set, nullptr, nullptr, nullptr, nullptr);
}

long wait_for_events(long number) {
  epoll_event event{};
  if (number == SYS_epoll_pwait2)
    return syscall(number, epoll_set(), &event, 1, nullptr, nullptr, mask_bytes);
  return syscall(number, epoll_set(), &event, 1, -1, nullptr, mask_bytes);
}

long suspend() {
  std::uint64_t mask = 0;
  return syscall(SYS_rt_sigsuspend, &mask, mask_bytes);
}

long wait_for_signal() {
  const std::uint64_t wanted = 1U << (SIGUSR2 - 1);
  return syscall(SYS_rt_sigtimedwait, &wanted, nullptr, nullptr, mask_bytes);
}

long get_events(long number) {
  aio_context_t context = 0;
  if (syscall(SYS_io_setup, 1, &context) != 0) return -1;
  io_event event{};
  return syscall(number, context, 1, 1, &event, nullptr, nullptr);
}

// For the completion of something that nobody has submitted.
long wait_for_completion() {
  io_uring_params set{};
  const long ring = syscall(SYS_io_uring_setup, 1, &set);
  if (ring < 0) return -1;
  return syscall(SYS_io_uring_enter, ring, 0, 1, IORING_ENTER_GETEVENTS, nullptr, 0);
}

long receive_message() {
  const int queue = msgget(IPC_PRIVATE, 0600);
  struct {
    long type;
    char text[8];
  } message{};
  const long result = syscall(SYS_msgrcv, queue, &message, sizeof message.text, 0, 0);
  const int error = errno;
  msgctl(queue, IPC_RMID, nullptr);
  errno = error;
  return result;
}

long send_message() {
  const int queue = msgget(IPC_PRIVATE, 0600);
  struct {
    long type = 1;
    char text[4096] = {};
  } message;
  while (msgsnd(queue, &message, sizeof message.text, IPC_NOWAIT) == 0) {
  }
  const long result = syscall(SYS_msgsnd, queue, &message, sizeof message.text, 0);
  const int error = errno;
  msgctl(queue, IPC_RMID, nullptr);
  errno = error;
  return result;
}

long operate(long number) {
  const int semaphore = semget(IPC_PRIVATE, 1, 0600);
  sembuf down{0, -1, 0};
  const long result = syscall(number, semaphore, &down, 1, nullptr);
  const int error = errno;
  semctl(semaphore, 0, IPC_RMID);
  errno = error;
  return result;
}

long wait_on_word(const timespec* time) {
  std::uint32_t word = 0;
  return syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, time, nullptr, 0);
}

long wait_on_words() {
  std::uint32_t word = 0;
  futex_waitv waiter{};
  waiter.uaddr = reinterpret_cast<std::uintptr_t>(&word);
  waiter.flags = FUTEX_32;
  return syscall(SYS_futex_waitv, &waiter, 1, 0, nullptr, CLOCK_MONOTONIC);
}

// A file that somebody else has locked.
std::string locked_file() {
  std::string name = "/tmp/gmr-locked-XXXXXX";
  const int file = mkstemp(name.data());
  flock(file, LOCK_EX);
  return name;
}

long wait_for_child() {
  int ends[2] = {-1, -1};
  if (pipe(ends) != 0) return -1;
  const pid_t child = fork();
  if (child == 0) {
    char byte = 0;
    close(ends[1]);
    (void)!read(ends[0], &byte, 1);
    _exit(0);
  }
  const long result = syscall(SYS_wait4, child, nullptr, 0, nullptr);
  const int error = errno;
  close(ends[1]);
  close(ends[0]);
  while (waitpid(child, nullptr, 0) == -1 && errno == EINTR) {
  }
  errno = error;
  return result;
}

void add_sockets(std::vector<blocking_call>& calls, int receiving, int sending) {
  const std::string with_timeout = receiving != 0 ? " with a time-out" : "";
  const auto add = [&](const char* name, long number, std::function<long()> make) {
    calls.push_back({name + with_timeout, number, std::move(make)});
  };
  const std::pair<const char*, long> receivers[] = {{"read", SYS_read},
                                                    {"readv", SYS_readv},
                                                    {"recvfrom", SYS_recvfrom},
                                                    {"recvmsg", SYS_recvmsg},
                                                    {"recvmmsg", SYS_recvmmsg}};
  for (const auto& [name, number] : receivers)
    add(name, number, [n = number, receiving] { return receive(n, receiving); });
  add("accept", SYS_accept, [=] { return accept_nobody(SYS_accept, receiving); });
  add("accept4", SYS_accept4, [=] { return accept_nobody(SYS_accept4, receiving); });
  const std::pair<const char*, long> senders[] = {
      {"write", SYS_write},     {"writev", SYS_writev},     {"sendto", SYS_sendto},
      {"sendmsg", SYS_sendmsg}, {"sendmmsg", SYS_sendmmsg}, {"sendfile", SYS_sendfile}};
  for (const auto& [name, number] : senders)
    add(name, number, [n = number, sending] { return send_to_full(n, sending); });
  add("connect", SYS_connect, [=] { return connect_to_full(sending); });
}

}  // namespace

std::vector<blocking_call> never_restarted_calls() {
  std::vector<blocking_call> calls{
#ifdef SYS_epoll_wait
      {"epoll_wait", SYS_epoll_wait, [] { return wait_for_events(SYS_epoll_wait); }},
      {"poll", SYS_poll, [] { return poll_with(SYS_poll); }},
      {"select", SYS_select, [] { return select_with(SYS_select); }},
      {"pause", SYS_pause, [] { return syscall(SYS_pause); }},
#endif
      {"epoll_pwait", SYS_epoll_pwait, [] { return wait_for_events(SYS_epoll_pwait); }},
      {"epoll_pwait2", SYS_epoll_pwait2, [] { return wait_for_events(SYS_epoll_pwait2); }},
      {"ppoll", SYS_ppoll, [] { return poll_with(SYS_ppoll); }},
      {"pselect6", SYS_pselect6, [] { return select_with(SYS_pselect6); }},
      {"rt_sigsuspend", SYS_rt_sigsuspend, suspend},
      {"rt_sigtimedwait", SYS_rt_sigtimedwait, wait_for_signal},
      {"nanosleep", SYS_nanosleep, [] { return syscall(SYS_nanosleep, &an_hour, nullptr); }},
      {"clock_nanosleep", SYS_clock_nanosleep,
       [] { return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &an_hour, nullptr); }},
      {"io_getevents", SYS_io_getevents, [] { return get_events(SYS_io_getevents); }},
      {"io_pgetevents", SYS_io_pgetevents, [] { return get_events(SYS_io_pgetevents); }},
      {"io_uring_enter", SYS_io_uring_enter, wait_for_completion},
      {"msgrcv", SYS_msgrcv, receive_message},
      {"msgsnd", SYS_msgsnd, send_message},
      {"semop", SYS_semop, [] { return operate(SYS_semop); }},
      {"semtimedop", SYS_semtimedop, [] { return operate(SYS_semtimedop); }},
      {"futex with a time-out", SYS_futex, [] { return wait_on_word(&an_hour); }},
  };
  add_sockets(calls, SO_RCVTIMEO, SO_SNDTIMEO);
  return calls;
}

std::vector<blocking_call> restarted_calls() {
  std::vector<blocking_call> calls{
      {"futex", SYS_futex, [] { return wait_on_word(nullptr); }},
      {"futex_waitv", SYS_futex_waitv, wait_on_words},
      {"wait4", SYS_wait4, wait_for_child},
      {"flock", SYS_flock,
       [] {
         const std::string name = locked_file();
         const int again = open(name.c_str(), O_RDWR);
         unlink(name.c_str());
         return syscall(SYS_flock, again, LOCK_EX);
       }},
  };
  add_sockets(calls, 0, 0);
  return calls;
}

}  // namespace gmr::capture::testing
