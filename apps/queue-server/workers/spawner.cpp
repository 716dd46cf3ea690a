#include "workers/spawner.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>
#include <system_error>

namespace queue_server {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void close_both(int (&ends)[2]) noexcept {
  for (int& end : ends) {
    if (end >= 0) ::close(end);
    end = -1;
  }
}

}  // namespace

spawner::spawner() {
  // What a worker's parent leaves behind becomes a child of this process.
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) fail("prctl");
  if (::pipe2(requests_, O_CLOEXEC) != 0 || ::pipe2(states_, O_CLOEXEC) != 0) fail("pipe");
  const pid_t caller = ::getpid();
  helper_ = ::fork();
  if (helper_ < 0) fail("fork");
  if (helper_ == 0) {
    serve_requests(caller);
    return;  // as a worker
  }
  ::close(requests_[0]);
  requests_[0] = -1;
  ::fcntl(states_[0], F_SETFL, O_NONBLOCK);
}

spawner::~spawner() {
  close_both(requests_);
  close_both(states_);
  if (helper_ > 0) {
    while (::waitpid(helper_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

void spawner::serve_requests(pid_t caller) {
  ::close(requests_[1]);  // so that it ends when the caller does
  requests_[1] = -1;
  // A terminal's signals are for the caller, who ends this process by leaving.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGTERM, SIG_IGN);
  int wanted = 0;
  while (true) {
    const ssize_t got = ::read(requests_[0], &wanted, sizeof wanted);
    if (got < 0 && errno == EINTR) continue;
    if (got != sizeof wanted) ::_exit(0);
    const pid_t between = ::fork();
    if (between == 0) {
      // The worker is a child of the caller once the process between has ended.
      const pid_t worker = ::fork();
      if (worker != 0) ::_exit(worker < 0 ? 1 : 0);
      become_worker(wanted, caller);
      return;
    }
    if (between > 0) {
      while (::waitpid(between, nullptr, 0) < 0 && errno == EINTR) {
      }
    }
  }
}

void spawner::become_worker(int number, pid_t caller) {
  close_both(requests_);
  ::close(states_[0]);
  states_[0] = -1;
  helper_ = -1;
  number_ = number;
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  constexpr timespec a_moment{0, 1'000'000};
  while (::getppid() != caller) {
    if (::getppid() == 1) ::_exit(0);  // the caller has gone
    ::nanosleep(&a_moment, nullptr);
  }
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != caller) ::_exit(0);
  say(false);
}

bool spawner::spawn(int number) const noexcept {
  return ::write(requests_[1], &number, sizeof number) == sizeof number;
}

void spawner::say_it_serves() const noexcept {
  say(true);
}

void spawner::say(bool serves) const noexcept {
  const worker_state state{number_, ::getpid(), serves};
  static_cast<void>(::write(states_[1], &state, sizeof state) == sizeof state);
}

}  // namespace queue_server
