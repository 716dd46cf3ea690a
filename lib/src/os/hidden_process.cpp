#include "os/hidden_process.hpp"

#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <ctime>
#include <new>
#include <utility>

#include "os/hidden_keeper.hpp"
#include "os/own_proc.hpp"

// The C library's clone under a name that ThreadSanitizer, which takes it for a fork, does not
// stand in front of.
extern "C" int __clone(int (*function)(void*), void* stack, int flags, void* argument, ...);

namespace gmr::os {

struct keeper_room {
  static constexpr std::size_t stack_size = 32 * 1024;

  keeper_state state;
  alignas(16) std::byte stack[stack_size];
};

namespace {

const char* name_of(keeper_step step) noexcept {
  switch (step) {
    case keeper_step::none:
      return nullptr;
    case keeper_step::descriptors:
      return "dup3";
    case keeper_step::memory_file:
      return "memfd_create";
    case keeper_step::writing:
      return "write to a file in memory";
    case keeper_step::process:
      return "clone";
    case keeper_step::execution:
      return "execveat";
  }
  return "clone";
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const std::string& text : texts)
    result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

keeper_room* make_room() noexcept {
  void* const memory = ::mmap(nullptr, sizeof(keeper_room), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : new (memory) keeper_room;
}

// Only once the keeper has gone. One that ended before its program ran may have left that behind,
// which runs on the keeper's stack until it executes something: the room stays as it is then.
void give_back(keeper_room* room) noexcept {
  if (room->state.phase.load() != keeper_phase::starting) ::munmap(room, sizeof(keeper_room));
}

// Those that have not been waited for yet, and whose children they are.
struct known_keepers {
  std::atomic<pid_t> service = 0;
  std::array<std::atomic<pid_t>, 16> processes{};
};
constinit known_keepers keepers;

void change_keeper(pid_t from, pid_t to) noexcept {
  if (const pid_t self = ::getpid(); keepers.service.exchange(self) != self)
    for (std::atomic<pid_t>& each : keepers.processes)  // of the process that has forked this one
      each.store(0);
  for (std::atomic<pid_t>& each : keepers.processes) {
    pid_t expected = from;
    if (each.compare_exchange_strong(expected, to)) return;
  }
}

// The keeper must not run a handler of the service's.
pid_t start_keeper(keeper_room& room) noexcept {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const int started =
      __clone(keep_program, room.stack + keeper_room::stack_size, CLONE_VM, &room.state);
  const int error = errno;
  if (started > 0) change_keeper(0, started);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return started;
}

bool is_refused(int error) noexcept {
  return error == EPERM || error == ENOSYS;
}

void wait_a_little(std::size_t nanoseconds) noexcept {
  const timespec time{0, static_cast<long>(nanoseconds)};
  if (::nanosleep(&time, nullptr) != 0 && is_refused(errno)) ::poll(nullptr, 0, 1);
}

// Which call may be used to wait for a child, asked for one that nobody has; an errno where none
// may.
int find_wait_call(bool& by_wait4) noexcept {
  siginfo_t nothing{};
  const auto self = static_cast<id_t>(::getpid());
  by_wait4 = ::waitid(P_PID, self, &nothing, WEXITED | WNOHANG) != 0 && is_refused(errno);
  if (!by_wait4) return 0;
  const int error = errno;
  return ::waitpid(::getpid(), nullptr, WNOHANG) < 0 && is_refused(errno) ? error : 0;
}

bool is_reaped(pid_t keeper) noexcept {
  siginfo_t ended{};
  const int result = ::waitid(P_PID, static_cast<id_t>(keeper), &ended, WEXITED | WNOHANG | __WALL);
  if (result == 0) return ended.si_pid == keeper;
  if (!is_refused(errno)) return errno == ECHILD;
  const pid_t reaped = ::waitpid(keeper, nullptr, WNOHANG | __WALL);
  return reaped == keeper || (reaped < 0 && errno == ECHILD);
}

bool reap(pid_t keeper) noexcept {
  const bool is_gone = is_reaped(keeper);
  if (is_gone) change_keeper(keeper, 0);
  return is_gone;
}

// A keeper goes when its program does; it may be long before it gets the processor, or its program
// hang in a file system that does not answer. Those that were not waited for.
struct leftover {
  pid_t keeper = -1;
  keeper_room* room = nullptr;
};
constinit std::array<leftover, 8> leftovers{};

void reap_leftovers() noexcept {
  for (leftover& each : leftovers) {
    if (each.room == nullptr || !reap(each.keeper)) continue;
    give_back(each.room);
    each = {};
  }
}

void leave_over(const leftover& one) noexcept {
  const auto place = std::find_if(leftovers.begin(), leftovers.end(),
                                  [](const leftover& each) { return each.room == nullptr; });
  if (place != leftovers.end()) *place = one;
}

bool reap_soon(pid_t keeper) noexcept {
  constexpr int most_tries = 100;
  for (int i = 0; i < most_tries; ++i) {
    if (reap(keeper)) return true;
    wait_a_little(i < 10 ? 50'000 : 1'000'000);
  }
  return false;
}

void kill_program(keeper_state& state) noexcept {
  keeper_phase running = keeper_phase::running;
  if (!state.phase.compare_exchange_strong(running, keeper_phase::killing)) return;
  ::kill(state.program.load(), SIGKILL);
  state.phase.store(keeper_phase::running);
}

// The keeper is ready within a millisecond or two, unless the machine has others to run.
bool wait_for_start(const keeper_state& state,
                    std::chrono::steady_clock::time_point deadline) noexcept {
  while (state.phase.load() == keeper_phase::starting) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    wait_a_little(50'000);
  }
  return true;
}

}  // namespace

bool is_keeper(pid_t process) noexcept {
  if (process <= 0 || keepers.service.load() != ::getpid()) return false;
  return std::ranges::any_of(keepers.processes,
                             [process](const auto& each) { return each.load() == process; });
}

hidden_process hidden_process::start(const hidden_program& what, time_point deadline,
                                     start_failure& failure) {
  reap_leftovers();
  hidden_process made;
  int ends[2] = {-1, -1};
  if (const int error = open_sockets(ends); error != 0) {
    failure = {"socketpair", error};
    return made;
  }
  made.socket_ = descriptor{ends[0]};
  descriptor theirs{ends[1]};
  bool by_wait4 = false;
  if (const int error = find_wait_call(by_wait4); error != 0) {
    failure = {"waitid", error};
    return made;
  }
  const std::vector<char*> arguments = pointers_to(what.arguments);
  const std::vector<char*> environment = pointers_to(what.environment);
  made.room_ = make_room();
  if (made.room_ == nullptr) {
    failure = {"mmap", errno};
    return made;
  }
  keeper_state& state = made.room_->state;
  state.orders = {what.image.data(), what.image.size(), arguments.data(), environment.data(),
                  ends[1],           own_proc(),        ::getpid(),       by_wait4};
  made.keeper_ = start_keeper(*made.room_);
  if (made.keeper_ < 0) {
    failure = {"clone", errno};
    ::munmap(std::exchange(made.room_, nullptr), sizeof(keeper_room));
    return made;
  }
  const bool started = wait_for_start(state, deadline);
  if (!started) ::kill(made.keeper_, SIGKILL);
  const keeper_step failed = state.failed.load();
  failure = started ? start_failure{name_of(failed), state.error.load()}
                    : start_failure{"clone", ETIMEDOUT};
  if (failure.step != nullptr) made.stop();
  return made;
}

// A forked child has a copy of what was told, and no keeper.
bool hidden_process::is_ours() const noexcept {
  return room_ != nullptr && room_->state.orders.service == ::getpid();
}

int hidden_process::wait() noexcept {
  constexpr int most_tries = 1000;
  for (int i = 0; room_ != nullptr && i < most_tries; ++i) {
    if (room_->state.phase.load() == keeper_phase::ended) break;
    wait_a_little(i < 20 ? 50'000 : 1'000'000);
  }
  return stop();
}

int hidden_process::stop() noexcept {
  if (room_ == nullptr) return -1;
  if (is_ours()) kill_program(room_->state);
  socket_.close();
  int status = -1;
  if (is_ours() && reap_soon(keeper_)) {
    status = room_->state.status.load();
    give_back(room_);
  } else if (is_ours()) {
    leave_over({keeper_, room_});
  }
  room_ = nullptr;
  keeper_ = -1;
  return status;
}

void hidden_process::swap(hidden_process& other) noexcept {
  std::swap(socket_, other.socket_);
  std::swap(keeper_, other.keeper_);
  std::swap(room_, other.room_);
}

}  // namespace gmr::os
