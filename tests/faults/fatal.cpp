// A program that fails: fatal.py looks at what is reported, and how it ends.
//
//   fatal KIND off|raw|full [SECTION]
//
// KIND is one of the names in `main`. Lines marked `// KIND fails here` are where the report must
// say that it failed.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "gmr/reporter.hpp"

namespace {

volatile int zero = 0;
volatile std::uintptr_t nowhere = 8;
std::optional<gmr::reporter> reporter;

void say(const std::string& line) {
  static_cast<void>(!::write(STDOUT_FILENO, (line + "\n").data(), line.size() + 1));
}

[[gnu::noinline]] void write_nowhere() {
  *reinterpret_cast<volatile int*>(nowhere) = 1;  // write fails here
  zero = 0;
}

[[gnu::noinline]] void call_nowhere() {
  reinterpret_cast<void (*)()>(nowhere)();  // call fails here
  zero = 0;
}

[[gnu::noinline]] void write_to_code() {
  const auto code = reinterpret_cast<std::uintptr_t>(&write_nowhere);
  *reinterpret_cast<volatile char*>(code) = 1;  // code fails here
  zero = 0;
}

[[gnu::noinline]] void give_up() {
  std::abort();  // abort fails here
}

[[gnu::noinline]] void throw_standard() {
  throw std::runtime_error{"no luck with https://user:hunter2@host/"};  // throw fails here
}

struct without_words final : std::exception {
  const char* what() const noexcept override {
    *reinterpret_cast<volatile int*>(nowhere) = 1;
    return "never";
  }
};

[[gnu::noinline]] void throw_without_words() {
  throw without_words{};
}

[[gnu::noinline]] void throw_number() {
  throw 7;  // number fails here
}

void throw_through_wall() noexcept {
  throw_number();
}

[[gnu::noinline]] void divide() {
  zero = 7 / zero;  // divide fails here
}

[[gnu::noinline]] void stop_short() {
  __builtin_trap();  // trap fails here
}

[[gnu::noinline]] void read_beyond_file() {
  const int file = ::memfd_create("fatal", MFD_CLOEXEC);
  static_cast<void>(::ftruncate(file, 4096));
  const auto* const mapped =
      static_cast<volatile char*>(::mmap(nullptr, 8192, PROT_READ, MAP_SHARED, file, 0));
  zero = mapped[4096];  // bus fails here
}

// The allocator finds out while it has its lock.
[[gnu::noinline]] void corrupt_heap() {
  std::thread{[] {}}.join();  // it takes locks from now on
  auto* const block = static_cast<std::size_t*>(std::malloc(2000));
  void* const next = std::malloc(2000);
  std::size_t* volatile hidden = block;
  asm volatile("" : : "r"(block), "r"(next) : "memory");
  std::free(block);
  hidden[-1] = 1;
  void* volatile more = std::malloc(3000);  // heap fails here
  std::free(more);
}

[[gnu::noinline]] int use_up_stack(int level) {
  if (zero != 0) return 0;  // never
  volatile char room[512];
  room[0] = static_cast<char>(level);
  return use_up_stack(level + 1) + room[0];
}

void use_up_fiber() {
  // Below a stack without a guard page is the heap: that would be gone.
  boost::context::fiber made{std::allocator_arg, boost::context::protected_fixedsize_stack{1 << 17},
                             [](boost::context::fiber&& caller) {
                               use_up_stack(0);
                               return std::move(caller);
                             }};
  made = std::move(made).resume();
}

void in_thread(void (*function)()) {
  std::thread{function}.join();
}

[[gnu::noinline]] void fail_in_handler(int) {
  *reinterpret_cast<volatile int*>(nowhere) = 1;  // handler fails here
  zero = 0;
}

void fail_in_child() {
  const pid_t child = ::fork();
  if (child == 0) write_nowhere();
  int status = 0;
  ::waitpid(child, &status, 0);
  say("child ended by " + std::to_string(WTERMSIG(status)));
}

// Once it has that name.
pid_t thread_named(const std::string& name) {
  for (;;) {
    for (const auto& task : std::filesystem::directory_iterator{"/proc/self/task"}) {
      std::ifstream file{task.path() / "comm"};
      std::string found;
      std::getline(file, found);
      if (found == name) return std::stoi(task.path().filename());
    }
  }
}

void hit_thread(const std::string& name) {
  ::syscall(SYS_tgkill, ::getpid(), thread_named(name), SIGSEGV);
  for (;;)
    ::pause();
}

void fail_twice() {
  reporter->add_section("Trap", []() -> gmr::value {
    ::syscall(SYS_tgkill, ::getpid(), thread_named("gmr-reporter"), SIGSEGV);
    return {};
  });
  give_up();
}

void fail_in_section() {
  reporter->add_section("Trap", []() -> gmr::value {
    write_nowhere();
    return {};
  });
  reporter->request();
  for (;;)
    ::pause();
}

void fail_at_once() {
  std::atomic<int> ready{0};
  const auto fail = [&] {
    for (++ready; ready < 4;) {
    }
    write_nowhere();
  };
  std::thread all[]{std::thread{fail}, std::thread{fail}, std::thread{fail}, std::thread{fail}};
  for (std::thread& each : all)
    each.join();
}

// Handlers from before and after the reporter.
struct sigaction before{};
sigjmp_buf recovery;

void install(void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action{};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGSEGV, &action, &before);
}

void tell(const char* who, const siginfo_t* info, const void* context) {
  const auto pc = static_cast<std::uintptr_t>(
#if defined(__x86_64__)
      static_cast<const ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]
#else
      static_cast<const ucontext_t*>(context)->uc_mcontext.pc
#endif
  );
  const auto function = reinterpret_cast<std::uintptr_t>(&write_nowhere);
  const bool is_in_function = pc >= function && pc < function + 64;
  say(std::string{who} + " at " + std::to_string(reinterpret_cast<std::uintptr_t>(info->si_addr)) +
      " code " + std::to_string(info->si_code) +
      (is_in_function ? " in the function" : " elsewhere"));
}

void tell_and_leave(int, siginfo_t* info, void* context) {
  tell("earlier handler", info, context);
  ::_exit(7);
}

void recover(int, siginfo_t* info, void* context) {
  tell("earlier handler", info, context);
  siglongjmp(recovery, 1);
}

void pass_to_earlier(int signal, siginfo_t* info, void* context) {
  tell("later handler", info, context);
  if ((before.sa_flags & SA_SIGINFO) != 0) return before.sa_sigaction(signal, info, context);
  ::sigaction(signal, &before, nullptr);
}

void fail_and_go_on() {
  if (sigsetjmp(recovery, 1) == 0) write_nowhere();
  say("went on");
  if (sigsetjmp(recovery, 1) == 0) write_nowhere();
  say("went on");
}

void leave_by_own_terminate() {
  say("earlier terminate handler");
  ::_exit(9);
}

gmr::settings settings_for(const std::string& on_fatal) {
  gmr::settings set;
  set.format = gmr::report_format::json;
  set.on_fatal = on_fatal == "off"   ? gmr::fatal_reports::off
                 : on_fatal == "raw" ? gmr::fatal_reports::raw
                                     : gmr::fatal_reports::full;
  set.fatal_deadline = std::chrono::seconds{45};
  if (const char* const directory = std::getenv("FATAL_LOG_DIR")) set.log_dir = directory;
  return set;
}

// What is there before the reporter.
void prepare(const std::string& kind) {
  if (kind == "chained" || kind == "earlier") install(tell_and_leave);
  if (kind == "recovers") install(recover);
  if (kind == "own_terminate") std::set_terminate(leave_by_own_terminate);
  if (kind == "ignored") ::signal(SIGABRT, SIG_IGN);
}

}  // namespace

int main(int, char** arguments) {
  const std::string kind = arguments[1];
  const std::map<std::string, std::function<void()>> kinds{
      {"write", write_nowhere},
      {"call", call_nowhere},
      {"code", write_to_code},
      {"abort", give_up},
      {"throw", throw_standard},
      {"words", throw_without_words},
      {"number", throw_through_wall},
      {"divide", divide},
      {"trap", stop_short},
      {"bus", read_beyond_file},
      {"heap", corrupt_heap},
      {"in_thread", [] { in_thread(write_nowhere); }},
      {"overflow", [] { use_up_stack(0); }},
      {"overflow_in_thread", [] { in_thread([] { use_up_stack(0); }); }},
      {"overflow_in_fiber", use_up_fiber},
      {"in_fiber",
       [] {
         boost::context::fiber made{[](boost::context::fiber&& caller) {
           write_nowhere();
           return std::move(caller);
         }};
         made = std::move(made).resume();
       }},
      {"handler",
       [] {
         ::signal(SIGUSR1, fail_in_handler);
         ::raise(SIGUSR1);
       }},
      {"child", fail_in_child},
      {"reporter", [] { hit_thread("gmr-reporter"); }},
      {"twice", fail_twice},
      {"section", fail_in_section},
      {"at_once", fail_at_once},
      {"earlier", write_nowhere},
      {"chained",
       [] {
         install(pass_to_earlier);
         write_nowhere();
       }},
      {"chained_default",
       [] {
         install(pass_to_earlier);
         write_nowhere();
       }},
      {"recovers", fail_and_go_on},
      {"own_terminate", throw_standard},
      {"ignored", [] { ::raise(SIGABRT); }},
      {"after",
       [] {
         reporter.reset();
         write_nowhere();
       }},
      {"sent",
       [] {
         say("ready " + std::to_string(::getpid()));
         for (;;)
           ::pause();
       }},
  };
  prepare(kind);
  reporter.emplace(gmr::package{.name = "fatal", .version = "1"}, settings_for(arguments[2]));
  say("thread " + std::to_string(::getpid()));
  kinds.at(kind)();
  say("ended");
  std::fflush(nullptr);
  ::_exit(0);
}
