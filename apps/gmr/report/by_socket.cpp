#include "report/by_socket.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/url/url.hpp>
#include <cerrno>
#include <cstddef>
#include <limits>
#include <sstream>
#include <string_view>
#include <system_error>

#include "exit_codes.hpp"
#include "progress.hpp"
#include "report/process.hpp"

namespace gmr_command {
namespace {

namespace http = boost::beast::http;

constexpr time_t patience_seconds = 120;  // the server has answered by then, if only that it can't

std::string system_text(int error) {
  return std::generic_category().message(error);
}

std::string request_text(const wanted_form& form) {
  boost::urls::url target{"/report"};
  const std::array<std::pair<const char*, const std::string*>, 4> parameters{
      {{"format", &form.format},
       {"list", &form.list},
       {"order", &form.order},
       {"sections", &form.sections}}};
  for (const auto& [name, content] : parameters)
    if (!content->empty()) target.params().append({name, *content});
  http::request<http::empty_body> request{http::verb::get, target.buffer(), 11};
  request.set(http::field::host, "localhost");
  request.set(http::field::user_agent, "gmr");
  std::ostringstream text;
  text << request;
  return text.str();
}

// Returns an errno.
int connect_to(const reached_socket& to, const opened_file& socket) {
  if (to.error() != 0) return to.error();
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (to.name().size() >= sizeof name.sun_path) return ENAMETOOLONG;
  to.name().copy(name.sun_path, to.name().size());
  const bool is_abstract = to.name().front() == '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + to.name().size() +
                                           (is_abstract ? 0 : 1));
  const auto* const generic = reinterpret_cast<const sockaddr*>(&name);
  return ::connect(socket.number(), generic, size) == 0 ? 0 : errno;
}

// Before a byte is sent: the address may have become another process's.
bool is_process(const opened_file& socket, pid_t process) {
  ucred told{};
  socklen_t size = sizeof told;
  return ::getsockopt(socket.number(), SOL_SOCKET, SO_PEERCRED, &told, &size) == 0 &&
         told.pid == process;
}

void send_all(const opened_file& socket, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(socket.number(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    // Who is refused has an answer to read all the same.
    if (sent < 0) return;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

using answer_parser = http::response_parser<http::string_body>;

void read_all(const opened_file& socket, answer_parser& into) {
  constexpr std::size_t piece = 65536;
  std::string received;
  while (!into.is_done()) {
    const std::size_t before = received.size();
    received.resize(before + piece);
    const ssize_t count = ::recv(socket.number(), received.data() + before, piece, 0);
    const int error = errno;
    received.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count < 0 && error == EINTR) continue;
    if (count <= 0)
      throw failure{exit_unavailable, "the answer on the socket ends early" +
                                          (count < 0 ? ": " + system_text(error) : "")};
    boost::system::error_code wrong;
    received.erase(0, into.put(boost::asio::buffer(received), wrong));
    if (wrong && wrong != http::error::need_more)
      throw failure{exit_bad_data, "what answers on the socket does not speak HTTP"};
  }
}

std::string report_in(const http::response<http::string_body>& answer) {
  if (answer.result() == http::status::ok) return answer.body();
  std::string line = answer.body().substr(0, answer.body().find('\n'));
  switch (answer.result()) {
    case http::status::bad_request:
      throw failure{exit_command_line, line};
    case http::status::forbidden:
      throw failure{exit_not_permitted, line};
    default:
      throw failure{exit_unavailable, line};
  }
}

}  // namespace

bool is_answered(const reached_socket& at) {
  const opened_file socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  const int error = connect_to(at, socket);
  return error == 0 || error == EAGAIN;
}

socket_answer ask_on_socket(const std::string& address, const address_origin& origin,
                            const wanted_form& form) {
  const opened_file socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const timeval patience{.tv_sec = patience_seconds, .tv_usec = 0};
  ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket.number(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const reached_socket to{address, origin};
  if (const int error = connect_to(to, socket); error != 0) {
    if (error == EACCES || error == EPERM)
      throw failure{exit_not_permitted, address + ": " + system_text(error)};
    return {.report = {}, .unreachable = address + ": " + system_text(error)};
  }
  if (origin.process && !is_process(socket, *origin.process))
    return {.report = {},
            .unreachable = address + " is answered by another process than " +
                           std::to_string(*origin.process)};
  const progress shown{"waiting for the report"};
  send_all(socket, request_text(form));
  answer_parser parser;
  parser.eager(true);  // the body comes with the head
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());
  read_all(socket, parser);
  return {.report = report_in(parser.get()), .unreachable = {}};
}

}  // namespace gmr_command
