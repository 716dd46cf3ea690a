// A service whose threads wait in as many ways, and that gives up what services in the field have
// not: system calls, root, the files that it was started with. compare.py knows what a report of it
// says where nothing is refused.
//
//   field_service [--before] [--refuse CALL=ERRNO[,...]] [--setuid] [--not-dumpable] [--chroot
//   DIRECTORY]
//
// With --before that is done before there is a reporter.
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "gmr/reporter.hpp"

namespace service {

std::atomic<int> holding{0};
std::atomic<int> started{0};
std::atomic<int> named{0};  // of those
volatile int never = 0;

void say(const std::string& line) {
  static_cast<void>(!::write(STDOUT_FILENO, (line + "\n").data(), line.size() + 1));
}

[[gnu::noinline]] void take_both(std::mutex& first, std::mutex& second) {
  const std::lock_guard one{first};
  ++holding;
  while (holding < 2)
    std::this_thread::yield();
  const std::lock_guard other{second};
  never = 1;
}

[[gnu::noinline]] void sleep_long() {
  for (;;) {
    ::sleep(1000);
    never = 2;
  }
}

[[gnu::noinline]] void read_pipe() {
  int ends[2];
  char byte = 0;
  if (::pipe(ends) == 0) static_cast<void>(!::read(ends[0], &byte, 1));
  never = 3;
}

[[gnu::noinline]] void wait_for_condition() {
  std::mutex mutex;
  std::condition_variable condition;
  std::unique_lock lock{mutex};
  condition.wait(lock, [] { return never > 100; });
  never = 4;
}

[[gnu::noinline]] void spin() {
  for (;;)
    never = 5;
}

// Whoever waits for all signals gets those, too, that it blocks.
[[gnu::noinline]] void take_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::sigdelset(&all, SIGUSR2);
  for (;;) {
    siginfo_t info{};
    const int taken = ::sigwaitinfo(&all, &info);
    if (taken > 0) say("took signal " + std::to_string(taken));
    never = 6;
  }
}

template <class Work>
void start(const char* name, Work work) {
  ++started;
  std::thread{[=] {
    ::pthread_setname_np(::pthread_self(), name);
    ++named;
    work();
  }}.detach();
}

void start_threads() {
  static std::mutex one;
  static std::mutex other;
  start("locks-one", [] { take_both(one, other); });
  start("locks-other", [] { take_both(other, one); });
  start("sleeps", sleep_long);
  start("reads", read_pipe);
  start("waits", wait_for_condition);
  start("spins", spin);
  start("signals", take_signals);
}

struct call_name {
  long number;
  std::string_view name;
};
constexpr call_name calls[] = {
#include "system_call_names.inc"
};

// In all threads. Of clone and clone3 only what makes no thread: that needs a look at arguments,
// which clone3 has in memory, so all of clone3.
void refuse(std::string_view what) {
  const std::size_t mark = what.find('=');
  const auto error = static_cast<unsigned>(std::stoi(std::string{what.substr(mark + 1)}));
  for (const call_name& each : calls) {
    if (each.name != what.substr(0, mark)) continue;
    sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(each.number), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter{std::size(instructions), instructions};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) != 0)
      say("can't: no filter, errno " + std::to_string(errno));
    return;
  }
  say("can't: no such call on this machine");
}

void give_up(const std::map<std::string, std::string>& given) {
  if (given.contains("--chroot") &&
      (::chroot(given.at("--chroot").c_str()) != 0 || ::chdir("/") != 0))
    say("can't: chroot, errno " + std::to_string(errno));
  constexpr int nobody = 65534;
  if (given.contains("--setuid") &&
      (::setgroups(0, nullptr) != 0 || ::setgid(nobody) != 0 || ::setuid(nobody) != 0))
    say("can't: setuid, errno " + std::to_string(errno));
  if (given.contains("--not-dumpable")) ::prctl(PR_SET_DUMPABLE, 0);
  if (!given.contains("--refuse")) return;
  std::string_view all = given.at("--refuse");
  for (std::size_t end = 0; end != all.npos; all.remove_prefix(end + 1)) {
    end = all.find(',');
    refuse(all.substr(0, end));
    if (end == all.npos) break;
  }
}

int run(const std::map<std::string, std::string>& given) {
  start_threads();
  const bool before = given.contains("--before");
  if (before) give_up(given);
  gmr::settings settings;
  settings.format = gmr::report_format::json;
  std::unique_ptr<gmr::reporter> reporter;
  try {
    reporter =
        std::make_unique<gmr::reporter>(gmr::package{.name = "field", .version = "1"}, settings);
  } catch (const std::exception& error) {
    say(std::string{"no reporter: "} + error.what());
  }
  while (holding < 2 || named < started)
    std::this_thread::yield();
  if (!before) give_up(given);
  say("ready");
  for (;;)
    ::pause();
}

}  // namespace service

int main(int count, char** arguments) {
  std::map<std::string, std::string> given;
  for (int i = 1; i < count; ++i) {
    const std::string name = arguments[i];
    const bool has_value = i + 1 < count && arguments[i + 1][0] != '-';
    given[name] = has_value ? arguments[++i] : "";
  }
  return service::run(given);
}
