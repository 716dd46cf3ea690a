// A small service that reports are asked of under faults: faults.py starts it.
//
//   faulty_service [--data KIB] [--refuse CALL=ERRNO] [--child] [--deadline SECONDS]
//                  [--debug-dirs DIRECTORIES] [--library FILE] [--busy THREADS]
//                  [--close-descriptors FILE]
//
// It ends when its standard input does.
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmr/reporter.hpp"
#include "long_name.hpp"

namespace {

std::atomic<int> ended_children{0};
std::atomic<int> asleep_threads{0};
volatile int never = 0;

void say(const std::string& line) {
  static_cast<void>(!::write(STDOUT_FILENO, (line + "\n").data(), line.size() + 1));
}

[[gnu::noinline]] void sleep_in_short_name(std::atomic<int>& asleep) {
  ++asleep;
  for (;;) {
    ::sleep(1000);
    never = 1;
  }
}

long kilobytes(const std::string& name) {
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":")) return std::atol(line.c_str() + name.size() + 1);
  return 0;
}

void limit_data(long more) {
  rlimit limit{};
  ::getrlimit(RLIMIT_DATA, &limit);
  limit.rlim_cur = static_cast<rlim_t>(kilobytes("VmData") + more) * 1024;
  ::setrlimit(RLIMIT_DATA, &limit);
}

// Of clone only the calls that make no thread.
void refuse(const std::string& call, int error) {
  const std::map<std::string, int> calls{{"memfd_create", SYS_memfd_create},
                                         {"execveat", SYS_execveat},
                                         {"socketpair", SYS_socketpair},
                                         {"clone", SYS_clone}};
  const auto number = static_cast<unsigned>(calls.at(call));
  const bool is_clone = number == SYS_clone;
  std::vector<sock_filter> filter{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, is_clone ? CLONE_THREAD : 0U, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
    say("no filter: " + std::to_string(errno));
}

// What it may have a function for is called on a thread.
void start_library(const std::string& file) {
  void* const library = ::dlopen(file.c_str(), RTLD_NOW);
  if (library == nullptr) return say(std::string{"no library: "} + ::dlerror());
  if (void* const function = ::dlsym(library, "sleep_in_library"); function != nullptr)
    std::thread{reinterpret_cast<void (*)()>(function)}.detach();
}

// A supervisor: any child but its own would be a surprise to it.
void supervise() {
  struct sigaction action{};
  action.sa_handler = [](int) { ++ended_children; };
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGCHLD, &action, nullptr);
  const pid_t own = ::fork();
  if (own == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
      ::pause();
  }
  std::thread{[own] {
    for (;;) {
      const pid_t ended = ::waitpid(-1, nullptr, 0);
      if (ended != own) say("unknown child " + std::to_string(ended));
      if (ended < 0) return;
    }
  }}.detach();
}

// A daemon that closes all it does not know, and whose next files get the numbers.
constexpr int first_number = 3;
constexpr int numbers = 61;
void take_all_numbers(const std::string& file) {
  ::close_range(first_number, ~0U, 0);
  for (int i = 0; i < numbers; ++i)
    if (::open(file.c_str(), O_RDWR) != first_number + i) say("another number");
}

// Those that are still that file, at its beginning.
int untouched_numbers(const std::string& file) {
  struct stat wanted{};
  ::stat(file.c_str(), &wanted);
  int count = 0;
  for (int number = first_number; number < first_number + numbers; ++number) {
    struct stat found{};
    if (::fstat(number, &found) == 0 && found.st_ino == wanted.st_ino &&
        ::lseek(number, 0, SEEK_CUR) == 0)
      ++count;
  }
  return count;
}

[[gnu::noinline]] void be_busy() {
  for (;;)
    never = never + 1;
}

}  // namespace

int main(int count, char** arguments) {
  std::map<std::string, std::string> given;
  for (int i = 1; i < count; ++i) {
    const std::string name = arguments[i];
    given[name] = i + 1 < count && arguments[i + 1][0] != '-' ? arguments[++i] : "";
  }
  gmr::settings settings;
  settings.format = gmr::report_format::json;
  if (given.contains("--deadline"))
    settings.deadline = std::chrono::seconds{std::stol(given["--deadline"])};
  if (given.contains("--debug-dirs")) settings.debug_dirs = given["--debug-dirs"];
  if (given.contains("--library")) start_library(given["--library"]);
  std::optional<gmr::reporter> reporter{std::in_place,
                                        gmr::package{.name = "faulty", .version = "1"}, settings};
  std::thread{[] { sleep_in_short_name(asleep_threads); }}.detach();
  if (given.contains("--deep")) std::thread{[] { sleep_in_long_name(asleep_threads); }}.detach();
  while (asleep_threads < (given.contains("--deep") ? 2 : 1))
    std::this_thread::yield();
  if (given.contains("--child")) supervise();
  if (given.contains("--data")) limit_data(std::stol(given["--data"]));
  if (given.contains("--refuse")) {
    const std::string what = given["--refuse"];
    const std::size_t mark = what.find('=');
    refuse(what.substr(0, mark), std::stoi(what.substr(mark + 1)));
  }
  for (long i = given.contains("--busy") ? std::stol(given["--busy"]) : 0; i > 0; --i)
    std::thread{be_busy}.detach();
  if (given.contains("--close-descriptors")) take_all_numbers(given["--close-descriptors"]);
  say("ready");
  char line[16];
  while (::read(STDIN_FILENO, line, sizeof line) > 0) {
    if (given.contains("--close-descriptors"))
      say("number " + std::to_string(reporter->make("made").number));
    else
      say("children " + std::to_string(ended_children.load()));
  }
  reporter.reset();
  if (given.contains("--close-descriptors"))
    say("untouched " + std::to_string(untouched_numbers(given["--close-descriptors"])));
  ::_exit(0);
}
