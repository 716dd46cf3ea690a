#include "socket/connection.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <cerrno>
#include <utility>

namespace gmr::sockets {
namespace {

namespace http = boost::beast::http;

response refusal_of(const boost::system::error_code& error) {
  if (error == http::error::header_limit)
    return refuse(431, "the head of a request may have 8192 bytes");
  if (error == http::error::unexpected_body || error == http::error::body_limit)
    return refuse(413, "a request has no body here");
  return refuse(400, "this is no request of HTTP/1.1");
}

}  // namespace

connection::connection(owned_socket socket, const peer& who, clock::time_point now)
    : socket_(std::move(socket)),
      who_(who),
      parser_(std::make_unique<parser>()),
      deadline_(now + patience),
      last_(now + patience) {
  parser_->header_limit(longest_head);
  parser_->body_limit(0);
}

short connection::wanted() const noexcept {
  if (state_ == state::reads) return POLLIN;
  return state_ == state::writes ? POLLOUT : 0;
}

// A client that has only ended its own sending waits for its answer all the same.
void connection::attend(short events, clock::time_point now) {
  if (state_ == state::reads && (events & (POLLIN | POLLHUP)) != 0) return read(now);
  if (state_ == state::writes && (events & POLLOUT) != 0) return write(now);
  if ((events & (POLLHUP | POLLERR | POLLNVAL)) != 0) return end();
  if (now < deadline_) return;
  if (state_ == state::reads) return give(refuse(408, "the request did not come in time"), now);
  if (state_ == state::waits)
    return give(refuse(503, "no report could be made in time; the service's log may tell why"),
                now);
  end();
}

void connection::read(clock::time_point now) {
  std::array<char, 4096> some;
  const int from = socket_.number();
  const ssize_t count = from < 0 ? 0 : ::recv(from, some.data(), some.size(), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) return end();
  received_.append(some.data(), static_cast<std::size_t>(count));
  parse(now);
}

void connection::parse(clock::time_point now) {
  boost::system::error_code error;
  const std::size_t taken = parser_->put(boost::asio::buffer(received_), error);
  received_.erase(0, taken);
  if (error == http::error::need_more) error = {};
  if (!error && received_.size() > longest_head) error = http::error::header_limit;
  if (error) return give(refusal_of(error), now);
  if (!parser_->is_header_done()) return;
  if (parser_->get().method() != http::verb::get)
    return give(refuse(405, "only GET is possible"), now);
  if (!parser_->is_done()) return give(refuse(413, "a request has no body here"), now);
  state_ = state::is_asking;
}

void connection::wait(clock::time_point until) noexcept {
  state_ = state::waits;
  deadline_ = until;
}

void connection::give(response answer, clock::time_point now) {
  answer_ = std::move(answer);
  state_ = state::writes;
  deadline_ = now + patience;
  last_ = now + longest_answer;
  write(now);
}

void connection::write(clock::time_point now) {
  const std::size_t head_left = answer_.head.size() - std::min(sent_, answer_.head.size());
  const std::size_t of_body = sent_ - std::min(sent_, answer_.head.size());
  std::array<iovec, 2> pieces{};
  pieces[0] = {answer_.head.data() + (answer_.head.size() - head_left), head_left};
  // sendmsg(2) reads only.
  pieces[1] = {const_cast<char*>(answer_.body->data()) + of_body, answer_.body->size() - of_body};
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  const int to = socket_.number();
  if (to < 0) return end();
  const ssize_t count = ::sendmsg(to, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count < 0 && errno != EAGAIN && errno != EINTR) return end();
  if (count > 0) {
    sent_ += static_cast<std::size_t>(count);
    deadline_ = std::min(now + patience, last_);
  }
  if (sent_ == answer_.head.size() + answer_.body->size()) linger(now);
}

// Until the client closes. What it sends is not read.
void connection::linger(clock::time_point now) noexcept {
  answer_ = {};
  state_ = state::lingers;
  deadline_ = now + longest_linger;
  ::shutdown(socket_.number(), SHUT_WR);
}

void connection::end() noexcept {
  state_ = state::ended;
  socket_.close();
}

}  // namespace gmr::sockets
