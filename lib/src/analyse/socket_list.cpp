#include "analyse/socket_list.hpp"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <vector>

#include "os/errors.hpp"
#include "os/file_text.hpp"
#include "text/lines.hpp"

namespace gmr::analyse {
namespace {

constexpr std::size_t most_sockets = 100'000;  // of a protocol
constexpr std::chrono::milliseconds longest_reading{50};
constexpr std::size_t list_answer_bytes = 32768;  // the most that the kernel gives at once
constexpr std::size_t longest_file = 4U << 20U;

struct list_request {
  nlmsghdr head;
  inet_diag_req_v2 body;
};

list_request request_of(int protocol, int family) noexcept {
  // They are no descriptor's.
  constexpr unsigned without_process = 1U << TCP_TIME_WAIT;
  list_request made{};
  made.head.nlmsg_len = sizeof made;
  made.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  made.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  made.body.sdiag_family = static_cast<std::uint8_t>(family);
  made.body.sdiag_protocol = static_cast<std::uint8_t>(protocol);
  made.body.idiag_states = ~without_process;
  return made;
}

listed_socket socket_of(const inet_diag_msg& told) noexcept {
  listed_socket made;
  made.inode = told.idiag_inode;
  made.family = told.idiag_family;
  made.state = told.idiag_state;
  made.receive_bytes = told.idiag_rqueue;
  made.send_bytes = told.idiag_wqueue;
  std::memcpy(made.own.address.data(), &told.id.idiag_src[0], made.own.address.size());
  std::memcpy(made.peer.address.data(), &told.id.idiag_dst[0], made.peer.address.size());
  made.own.port = ntohs(told.id.idiag_sport);
  made.peer.port = ntohs(told.id.idiag_dport);
  return made;
}

std::uint64_t hexadecimal(std::string_view text) noexcept {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number, 16);
  return number;
}

// The fields of a line of /proc/net/tcp, which are apart by one blank or more.
std::string_view next_field(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  return texts::take_until(line, ' ');
}

// "0100007F:1F90": words of 32 bits as this processor has them, and the port.
socket_end end_of(std::string_view field) noexcept {
  constexpr std::size_t digits = 8;
  socket_end made;
  for (std::size_t at = 0; at + sizeof(std::uint32_t) <= made.address.size() &&
                           field.size() >= digits && field[0] != ':';
       at += sizeof(std::uint32_t)) {
    const auto word = static_cast<std::uint32_t>(hexadecimal(field.substr(0, digits)));
    std::memcpy(made.address.data() + at, &word, sizeof word);
    field.remove_prefix(digits);
  }
  if (field.starts_with(':')) made.port = static_cast<std::uint16_t>(hexadecimal(field.substr(1)));
  return made;
}

std::string text_of(const socket_end& end, int family) {
  std::array<char, INET6_ADDRSTRLEN> digits{};
  ::inet_ntop(family, end.address.data(), digits.data(), digits.size());
  const std::string address = digits.data();
  return (family == AF_INET6 ? '[' + address + ']' : address) + ':' + std::to_string(end.port);
}

}  // namespace

std::string listed_socket::own_text() const {
  return text_of(own, family);
}

std::string listed_socket::peer_text() const {
  const bool is_connected = peer.port != 0 && state != TCP_SYN_SENT && state != TCP_LISTEN;
  return is_connected ? text_of(peer, family) : std::string{};
}

socket_list::socket_list()
    : tcp_{.number = IPPROTO_TCP, .files = {"/proc/self/net/tcp", "/proc/self/net/tcp6"}},
      udp_{.number = IPPROTO_UDP, .files = {"/proc/self/net/udp", "/proc/self/net/udp6"}} {}

std::optional<listed_socket> socket_list::find(protocol& among, std::uint64_t inode) {
  const auto known = [&]() -> std::optional<listed_socket> {
    const auto at = std::ranges::lower_bound(among.sockets, inode, {}, &listed_socket::inode);
    if (at == among.sockets.end() || at->inode != inode) return std::nullopt;
    return *at;
  };
  if (auto found = known()) return found;
  if (among.at_once == 0 && clock::now() < among.next_reading) return std::nullopt;
  among.at_once = std::max(among.at_once - 1, 0);
  read(among);
  return known();
}

void socket_list::read(protocol& all) {
  constexpr int share = 10;
  const clock::time_point begin = clock::now();
  end_ = begin + longest_reading;
  all.sockets.clear();
  for (const int family : {AF_INET, AF_INET6})
    if (!ask_kernel(all, family)) read_file(all, all.files[family == AF_INET ? 0 : 1], family);
  std::ranges::sort(all.sockets, {}, &listed_socket::inode);
  const clock::time_point now = clock::now();
  all.next_reading = now + share * (now - begin);
}

bool socket_list::is_over() {
  if (clock::now() < end_) return false;
  tell("not all were looked at: the time for it was over");
  return true;
}

void socket_list::tell(const std::string& problem) {
  if (problem_.empty()) problem_ = problem;
}

// False where it does not answer that.
bool socket_list::ask_kernel(protocol& all, int family) {
  const list_request request = request_of(all.number, family);
  kernel_.set_error(0);
  if (!kernel_.ask(std::as_bytes(std::span{&request, 1}))) return false;
  std::vector<std::byte> room(list_answer_bytes);
  for (;;) {
    const std::span<const std::byte> messages = kernel_.answer(room);
    if (messages.empty() || !take_messages(messages, all)) break;
    if (!is_over()) continue;
    kernel_.give_up();
    break;
  }
  return kernel_.error() == 0;
}

// Whether more comes.
bool socket_list::take_messages(std::span<const std::byte> messages, protocol& all) {
  nlmsghdr head{};
  while (messages.size() >= sizeof head) {
    std::memcpy(&head, messages.data(), sizeof head);
    if (head.nlmsg_len < NLMSG_HDRLEN || head.nlmsg_len > messages.size()) return false;
    const auto body = messages.subspan(NLMSG_HDRLEN, head.nlmsg_len - NLMSG_HDRLEN);
    if (head.nlmsg_type == NLMSG_ERROR || head.nlmsg_type == NLMSG_DONE) {
      int error = 0;  // what both begin with
      if (body.size() >= sizeof error) std::memcpy(&error, body.data(), sizeof error);
      kernel_.set_error(error < 0 ? -error : 0);
      return false;
    }
    inet_diag_msg told{};
    if (head.nlmsg_type == SOCK_DIAG_BY_FAMILY && body.size() >= sizeof told) {
      std::memcpy(&told, body.data(), sizeof told);
      if (all.sockets.size() >= most_sockets)
        tell("there are more than " + std::to_string(most_sockets));
      else if (told.idiag_inode != 0)
        all.sockets.push_back(socket_of(told));
    }
    messages =
        messages.subspan(std::min<std::size_t>(NLMSG_ALIGN(head.nlmsg_len), messages.size()));
  }
  return true;
}

void socket_list::read_file(protocol& all, const char* file, int family) {
  const os::file_text list = os::read_file(file, longest_file);
  const bool has_none = list.error == ENOENT && family == AF_INET6;
  const std::string why = "netlink: " + os::error_text(kernel_.error()) + "; " + file;
  if (list.error != 0 && !has_none) tell(why + ": " + os::error_text(list.error));
  if (list.truncated) tell(why + " is longer than 4 MiB: not of those that come then");
  std::string_view rest = list.content;
  if (list.truncated) rest = rest.substr(0, rest.rfind('\n'));  // half a line is another inode
  static_cast<void>(texts::take_line(rest));                    // titles
  while (!rest.empty())
    take_line(texts::take_line(rest), all, family);
}

// "0: 0100007F:1F90 0100007F:C0A8 01 00000000:00000000 00:00000000 00000000 1000 0 12345 ..."
void socket_list::take_line(std::string_view line, protocol& all, int family) {
  static_cast<void>(next_field(line));
  listed_socket made;
  made.family = family;
  made.own = end_of(next_field(line));
  made.peer = end_of(next_field(line));
  made.state = static_cast<int>(hexadecimal(next_field(line)));
  std::string_view sizes = next_field(line);
  made.send_bytes = hexadecimal(texts::take_until(sizes, ':'));
  made.receive_bytes = hexadecimal(sizes);
  for (int skipped = 0; skipped < 4; ++skipped)
    static_cast<void>(next_field(line));
  made.inode = texts::number_in(next_field(line)).value_or(0);
  if (made.inode != 0) all.sockets.push_back(made);
}

}  // namespace gmr::analyse
