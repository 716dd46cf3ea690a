#include "socket/server.hpp"

#include <poll.h>
#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <utility>
#include <variant>

#include "capture/blocked_signals.hpp"
#include "gmr/trace/enroll.hpp"
#include "model/words.hpp"
#include "os/bell.hpp"
#include "os/errors.hpp"
#include "outline/outline.hpp"
#include "sink/sink.hpp"
#include "socket/metrics.hpp"
#include "view/view.hpp"

namespace gmr::sockets {
namespace {

constexpr std::chrono::seconds pause_between_tries{10};
// A program that closes all descriptors tells nobody.
constexpr std::chrono::seconds longest_poll{5};
// Nothing wakes the thread when a report is there: it looks.
constexpr std::chrono::milliseconds look_for_reports{10};
constexpr std::chrono::milliseconds pause_after_trouble{100};
constexpr int most_at_once = 64;  // clients, before those that are there have their turn

std::string_view content_type(report_format format) {
  switch (format) {
    case report_format::json:
      return "application/json";
    case report_format::html:
      return "text/html; charset=utf-8";
    case report_format::text:
    case report_format::oslo:
      return plain_text;
  }
  return plain_text;
}

}  // namespace

server::server(settings set, report_source& source)
    : set_(std::move(set)), source_(source), listener_(set_.address) {}

server::~server() {
  if (!thread_.joinable()) return;
  stopped_ = true;
  os::ring_bell();
  {
    const std::lock_guard lock{listener_mutex_};
    listener_.shut_down();
  }
  thread_.join();
}

void server::start(int capture_signal) {
  const capture::blocked_signals born_with{capture_signal};
  thread_ = std::thread{[this] { run(); }};
}

void server::run() noexcept {
  ::pthread_setname_np(::pthread_self(), "gmr-socket");
  enroll_this_thread();
  while (!stopped_) {
    try {
      serve_once();
    } catch (const std::exception& error) {
      sinks::say("the socket:", error.what());
      std::this_thread::sleep_for(pause_after_trouble);
    }
  }
}

void server::keep_listening(clock::time_point now) {
  if (listener_.is_open() || now < next_try_) return;
  const std::lock_guard lock{listener_mutex_};
  if (stopped_) return;
  next_try_ = now + pause_between_tries;
  std::string problem = listener_.open();
  if (!problem.empty() && problem != last_problem_)
    sinks::say("nobody can ask on the socket " + set_.address + ":", problem);
  last_problem_ = std::move(problem);
}

void server::serve_once() {
  const std::uint32_t rung = os::bell_count();
  const clock::time_point now = clock::now();
  keep_listening(now);
  if (stopped_) return;
  if (!listener_.is_open() && clients_.empty()) return os::wait_for_bell(rung, next_try_);
  std::vector<pollfd> events;
  for (const client& each : clients_)
    events.push_back({each.line.socket().number(), each.line.wanted(), 0});
  events.push_back({listener_.socket().number(), POLLIN, 0});
  wait(events, now);
  if (stopped_) return;
  auto told = events.begin();
  for (client& each : clients_)
    attend(each, (told++)->revents);
  std::erase_if(clients_,
                [](const client& each) { return each.line.now_in() == connection::state::ended; });
  if (told->revents != 0) accept_all();
}

// In milliseconds, rounded up.
int server::timeout(clock::time_point now) const {
  clock::time_point until = now + longest_poll;
  for (const client& each : clients_) {
    until = std::min(until, each.line.deadline());
    if (each.line.now_in() == connection::state::waits)
      until = std::min(until, now + look_for_reports);
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now);
  return static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
}

// A descriptor that is not ours any more is -1, of which poll(2) tells nothing.
void server::wait(std::vector<pollfd>& events, clock::time_point now) {
  if (::poll(events.data(), events.size(), timeout(now)) >= 0) return;
  for (pollfd& each : events)
    each.revents = 0;
  if (errno != EINTR) std::this_thread::sleep_for(pause_after_trouble);
}

void server::accept_all() {
  for (int round = 0; round < most_at_once && !stopped_; ++round) {
    owned_socket accepted = owned_socket::accept(listener_.socket());
    if (!accepted.is_open()) return note_refusal(errno);
    admit(std::move(accepted));
  }
}

// The client is still there, and poll(2) would tell of it at once, again and again.
void server::note_refusal(int error) {
  if (error == EAGAIN || error == EINTR || error == ECONNABORTED || stopped_) return;
  const bool may_pass = error == EMFILE || error == ENFILE;
  if (!may_pass && std::exchange(last_refusal_, error) != error)
    sinks::say("no client can be taken on the socket " + set_.address + ":", os::error_text(error));
  std::this_thread::sleep_for(pause_after_trouble);
}

void server::admit(owned_socket accepted) {
  const clock::time_point now = clock::now();
  const std::optional<peer> who = peer_of(accepted.number());
  const identity ours = own_identity();
  const auto busy = std::ranges::count_if(clients_, [](const client& each) {
    return each.line.now_in() != connection::state::lingers;
  });
  connection line{std::move(accepted), who.value_or(peer{}), now};
  if (!who || !may_ask(who->user, ours))
    line.give(refuse(403, who_may_ask(ours)), now);
  else if (static_cast<std::size_t>(busy) >= most_clients)
    line.give(refuse(503, "too many clients are here"), now);
  if (clients_.size() < most_clients + most_leaving)
    clients_.push_back({.line = std::move(line), .coming = {}, .wanted = {}});
}

// By the clock as it is now: what the client before this one got may have taken seconds to draw.
void server::attend(client& each, short events) {
  using std::chrono::seconds;
  connection& line = each.line;
  if (line.socket().number() < 0) events = POLLNVAL;
  if (line.now_in() == connection::state::waits && events == 0 &&
      each.coming.wait_for(seconds{0}) == std::future_status::ready)
    return give_report(each);
  line.attend(events, clock::now());
  if (line.now_in() == connection::state::is_asking) take_order(each);
}

void server::take_order(client& each) {
  const order what = read_target(each.line.target(), set_.usual);
  if (const auto* const refused = std::get_if<refusal>(&what)) {
    each.line.give(refuse(refused->status, refused->line), clock::now());
  } else if (const auto* const wanted = std::get_if<report_order>(&what)) {
    each.wanted = *wanted;
    ask_for_report(each);
  } else {
    auto text = std::make_shared<const std::string>(metrics_of(set_.software, source_.counters()));
    each.line.give(answer(std::move(text), metrics_text), clock::now());
  }
}

void server::ask_for_report(client& each) {
  const clock::time_point now = clock::now();
  const auto waiting = std::ranges::count_if(clients_, [](const client& other) {
    return other.line.now_in() == connection::state::waits;
  });
  if (static_cast<std::size_t>(waiting) >= most_waiting)
    return each.line.give(refuse(503, "too many clients wait for reports"), now);
  std::optional<report_shape> shape;
  if (each.wanted.shape != set_.usual.shape) shape = each.wanted.shape;
  try {
    each.coming = source_.ask(cause_text(cause_kind::socket, name_of(each.line.who())), shape);
  } catch (const std::logic_error& error) {
    return each.line.give(refuse(503, error.what()), now);
  }
  each.line.wait(now + set_.longest);
}

// It may fail to be made, or to be drawn where there is no memory.
void server::give_report(client& each) {
  response text;
  try {
    text = answer(rendered(each.coming.get(), each.wanted), content_type(each.wanted.format));
  } catch (const std::exception&) {
    text = refuse(503, "no report could be made; the service's log may tell why");
  }
  each.line.give(std::move(text), clock::now());
}

// Requests that one report answers have one text.
std::shared_ptr<const std::string> server::rendered(const made_report& made,
                                                    const report_order& wanted) {
  std::shared_ptr<const std::string> text = drawn_.lock();
  if (text && drawn_report_.lock() == made && drawn_format_ == wanted.format &&
      drawn_parts_ == wanted.shape.parts)
    return text;
  text = std::make_shared<const std::string>(
      views::render(outlines::arrange(*made, wanted.shape.parts), wanted.format));
  drawn_report_ = made;
  drawn_format_ = wanted.format;
  drawn_parts_ = wanted.shape.parts;
  drawn_ = text;
  return text;
}

}  // namespace gmr::sockets
