#include "workers/mailboxes.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <system_error>

#include "notifications/posted.hpp"

namespace queue_server {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;

namespace {

constexpr std::size_t most_letters = 10'000;
constexpr int most_at_once = 100;  // then others have their turn on the thread

// A packet is the address, a zero, and the text.
std::string packed_letter(const std::string& address, const std::string& text) {
  return address + '\0' + text;
}

// Empty: there is none.
std::string received_packet(int from) {
  const ssize_t size = ::recv(from, nullptr, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
  if (size <= 0) return {};
  std::string packet(static_cast<std::size_t>(size), '\0');
  const ssize_t got = ::recv(from, packet.data(), packet.size(), MSG_DONTWAIT);
  packet.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return packet;
}

}  // namespace

mailboxes::mailboxes(int workers) : boxes_(static_cast<std::size_t>(workers)) {
  for (box& each : boxes_) {
    int ends[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
      throw std::system_error(errno, std::generic_category(), "socketpair");
    }
    each.in = ends[0];
    each.out = ends[1];
  }
}

mailboxes::~mailboxes() {
  stop();
  for (const box& each : boxes_) {
    for (const int end : {each.in, each.out})
      if (end >= 0) ::close(end);
  }
}

void mailboxes::open(asio::io_context& io, int number, receiver told) {
  const std::lock_guard lock(mutex_);
  told_ = std::move(told);
  stopped_ = false;
  for (box& each : boxes_) {
    const bool own = &each == &boxes_[static_cast<std::size_t>(number)];
    each.waits = std::make_unique<stream_descriptor>(io, own ? each.in : each.out);
  }
  wait_to_read(boxes_[static_cast<std::size_t>(number)]);
}

void mailboxes::stop() noexcept {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  for (box& each : boxes_) {
    each.letters.clear();
    // The descriptors stay open: they belong to all the workers.
    if (each.waits) static_cast<void>(each.waits->release());
    each.waits.reset();
  }
}

void mailboxes::send(int number, const std::string& address, std::shared_ptr<const posted> what) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || number < 0 || static_cast<std::size_t>(number) >= boxes_.size()) return;
  box& to = boxes_[static_cast<std::size_t>(number)];
  if (to.letters.size() == most_letters) return;  // that worker does not read
  to.letters.push_back({address, std::move(what), 0});
  if (!to.busy) write_some(to);
}

void mailboxes::wait_to_read(box& own) {
  own.waits->async_wait(stream_descriptor::wait_read, [this, &own](boost::system::error_code gone) {
    const std::lock_guard lock(mutex_);
    if (!gone && !stopped_) read_some(own);
  });
}

void mailboxes::read_some(box& own) {
  for (int count = 0; count < most_at_once; ++count) {
    const std::string packet = received_packet(own.in);
    const std::size_t end = packet.find('\0');
    if (end == std::string::npos) break;
    told_(packet.substr(0, end), packet.substr(end + 1));
  }
  wait_to_read(own);
}

void mailboxes::wait_to_write(box& to) {
  to.busy = true;
  to.waits->async_wait(stream_descriptor::wait_write, [this, &to](boost::system::error_code gone) {
    const std::lock_guard lock(mutex_);
    to.busy = false;
    if (!gone && !stopped_) write_some(to);
  });
}

void mailboxes::write_some(box& to) {
  for (int count = 0; !to.letters.empty(); ++count) {
    if (count == most_at_once) return wait_to_write(to);
    letter& first = to.letters.front();
    // Nothing stands for what there was no memory for, and its reader is told so.
    const std::string packet =
        packed_letter(first.address, first.what ? first.what->text(first.next) : std::string());
    const ssize_t sent = ::send(to.out, packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && first.what && errno == EMSGSIZE) {
      first.what = nullptr;  // its reader hears that something is missing
      continue;
    }
    if (sent < 0) return wait_to_write(to);
    if (!first.what || ++first.next == first.what->size()) to.letters.pop_front();
  }
}

}  // namespace queue_server
