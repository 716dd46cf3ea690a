#include "workers/supervisor.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/read.hpp>
#include <csignal>
#include <memory>
#include <utility>

#include "log/log.hpp"
#include "signals.hpp"

namespace queue_server {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds first_pause{100};
constexpr std::chrono::milliseconds longest_pause{30'000};
constexpr std::chrono::seconds long_life{10};  // whoever lived so long is started again at once
constexpr std::chrono::seconds grace_of_workers{5};  // after the workers' own limit
constexpr std::chrono::milliseconds between_looks{500};
constexpr int exit_software = 70;

}  // namespace

supervisor::supervisor(spawner& makes, int workers, std::chrono::seconds shutdown_limit,
                       std::function<void()> all_serve, service_log& log)
    : makes_(makes),
      shutdown_limit_(shutdown_limit),
      all_serve_(std::move(all_serve)),
      log_(log),
      workers_(static_cast<std::size_t>(workers)),
      pauses_(workers_.size(), first_pause),
      states_(loop_, ::dup(makes.states())),
      children_(loop_, SIGCHLD),
      stops_(loop_, SIGTERM, SIGINT),
      limit_(loop_),
      look_(loop_) {}

int supervisor::run() {
  stops_.async_wait([this](error_code cancelled, int) {
    if (!cancelled) stop(0);
  });
  wait_for_deaths();
  read_states();
  look_for_hangups();
  for (std::size_t number = 0; number < workers_.size(); ++number)
    start_again(number, std::chrono::milliseconds(0));
  loop_.run();
  return code_;
}

// Workers open their logs again when their parent does.
void supervisor::look_for_hangups() {
  look_.expires_after(between_looks);
  look_.async_wait([this](error_code) {
    if (hangup_came()) {
      log_.reopen();
      for (const worker& each : workers_) {
        if (each.pid > 0) ::kill(each.pid, SIGHUP);
      }
    }
    look_for_hangups();
  });
}

std::vector<supervisor::worker> supervisor::workers() const {
  const std::lock_guard lock(mutex_);
  return workers_;
}

void supervisor::read_states() {
  asio::async_read(states_, asio::buffer(&incoming_, sizeof incoming_),
                   [this](error_code ended, std::size_t) {
                     if (ended) return;
                     take_state(incoming_);
                     read_states();
                   });
}

void supervisor::take_state(const worker_state& state) {
  bool all = false;
  {
    const std::lock_guard lock(mutex_);
    worker& one = workers_[static_cast<std::size_t>(state.number)];
    one.pid = state.pid;
    one.serves = state.serves;
    if (!state.serves) one.since = std::chrono::steady_clock::now();
    all = std::all_of(workers_.begin(), workers_.end(),
                      [](const worker& each) { return each.serves; });
  }
  if (state.serves) log_.event("worker serves", {{"worker", state.number}, {"process", state.pid}});
  if (stopping_) ::kill(state.pid, SIGTERM);
  if (all && all_serve_) std::exchange(all_serve_, nullptr)();
  // It may have ended before its word was read.
  bury_dead();
}

void supervisor::wait_for_deaths() {
  children_.async_wait([this](error_code cancelled, int) {
    if (cancelled) return;
    bury_dead();
    wait_for_deaths();
  });
}

// Only of workers: the reporter's own children are nobody else's.
void supervisor::bury_dead() {
  for (std::size_t number = 0; number < workers_.size(); ++number) {
    const pid_t pid = workers_[number].pid;
    int status = 0;
    if (pid > 0 && ::waitpid(pid, &status, WNOHANG) == pid) bury(number, status);
  }
  if (stopping_) end_when_all_have();
}

void supervisor::bury(std::size_t number, int status) {
  bool was_never_there = false;
  bool lived_long = false;
  {
    const std::lock_guard lock(mutex_);
    worker& one = workers_[number];
    was_never_there = !one.serves && one.deaths == 0;
    lived_long = std::chrono::steady_clock::now() - one.since >= long_life;
    one.pid = 0;
    one.serves = false;
    ++one.deaths;
    one.last_status = status;
  }
  if (!stopping_) {
    log_.event("worker ended",
               {{"worker", number},
                {"signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0},
                {"code", WIFEXITED(status) ? WEXITSTATUS(status) : 0}},
               severity::warning);
  }
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : exit_software;
  if (stopping_) {
    code_ = std::max(code_, code);
  } else if (was_never_there && all_serve_) {
    stop(code != 0 ? code : exit_software);  // the next one would do no better
  } else {
    if (lived_long) pauses_[number] = first_pause;
    start_again(number, pauses_[number]);
    pauses_[number] = std::min(2 * pauses_[number], longest_pause);
  }
}

void supervisor::start_again(std::size_t number, std::chrono::milliseconds pause) {
  const auto timer = std::make_shared<asio::steady_timer>(loop_, pause);
  timer->async_wait([this, timer, number](error_code) {
    if (stopping_) return;
    if (!makes_.spawn(static_cast<int>(number))) stop(exit_software);
  });
}

void supervisor::stop(int code) {
  if (stopping_) return;
  stopping_ = true;
  code_ = code;
  for (const worker& each : workers_) {
    if (each.pid > 0) ::kill(each.pid, SIGTERM);
  }
  limit_.expires_after(shutdown_limit_ + grace_of_workers);
  limit_.async_wait([this](error_code cancelled) {
    if (cancelled) return;
    code_ = exit_software;
    for (const worker& each : workers_) {
      if (each.pid > 0) ::kill(each.pid, SIGKILL);
    }
    loop_.stop();
  });
  end_when_all_have();
}

void supervisor::end_when_all_have() {
  const bool all = std::none_of(workers_.begin(), workers_.end(),
                                [](const worker& each) { return each.pid > 0; });
  if (all) loop_.stop();
}

}  // namespace queue_server
