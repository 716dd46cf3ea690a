// Threads parked in what few programs do.
#include <pthread.h>
#include <signal.h>
#include <ucontext.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "parking.hpp"

namespace nasty {
namespace {

// Not a tail call, and its result is needed.
volatile int used = 0;

// Aligning the stack needs another register for the way back.
__attribute__((noinline)) void realigned(int number) {
  alignas(128) volatile char aligned[256] = {};
  aligned[static_cast<unsigned>(number)] = 1;
  read_for_ever();
  used = aligned[3];
}

__attribute__((noinline)) void realigned_with_alloca(unsigned bytes) {
  alignas(64) volatile char aligned[128] = {};
  auto* const memory = static_cast<volatile char*>(__builtin_alloca(bytes));
  memory[0] = aligned[1];
  read_for_ever();
  used = aligned[3] + memory[bytes / 2];
}

// Unwinding is under way: the frames below have been left, their memory has not.
struct parks_when_destroyed {
  ~parks_when_destroyed() { read_for_ever(); }
};

__attribute__((noinline)) void throws(const char* text) {
  const std::string copy{text};
  if (!copy.empty()) throw std::runtime_error{copy};
}

__attribute__((noinline)) void while_unwinding() {
  const parks_when_destroyed guard;
  throws("destructors run");
  used = 1;
}

void in_destructor() {
  try {
    while_unwinding();
  } catch (const std::exception&) {
    used = 2;
  }
}

// The C++ runtime's frames and the unwinder's lie between.
__attribute__((noinline)) void must_not_throw() noexcept {
  throws("nobody may catch this");
  used = 3;
}

[[noreturn]] void park_instead_of_terminating() {
  read_for_ever();
  throw 0;
}

// What is unlikely is moved elsewhere: a function in two pieces.
[[gnu::cold, gnu::noinline]] void unlikely(int number) {
  read_for_ever();
  used = number;
}

__attribute__((noinline)) int in_two_pieces(int number) {
  if (__builtin_expect(number > 10, 0)) {
    unlikely(number);
    return number * 3;
  }
  return number + used;
}

struct parks_when_made {
  parks_when_made() { read_for_ever(); }
  int value = 1;
};

// One thread makes the object, the other waits for it.
__attribute__((noinline)) int in_initialisation() {
  static const parks_when_made object;
  return object.value + used;
}

int waits_for_initialisation() {
  announce();
  return in_initialisation();
}

template <class... Values>
struct applied {
  template <class Function, std::size_t... Indices>
  [[gnu::noinline]] static int call(Function function, const std::tuple<Values...>& values,
                                    std::index_sequence<Indices...>) {
    return function(std::get<Indices>(values)...) + used;
  }
};

template <class Base>
struct curious {
  int run() { return static_cast<Base*>(this)->step(1) + used; }
};
struct derived : curious<derived> {
  [[gnu::noinline]] int step(int number) const {
    const auto generic = [this, number](auto first, auto&&... rest) {
      read_for_ever();
      return first + number + used + static_cast<int>(sizeof...(rest)) + own;
    };
    return applied<int, long, std::string>::call(generic, {number, 2L, "three"},
                                                 std::index_sequence_for<int, long, std::string>{});
  }
  int own = 1;
  explicit operator bool() { return run() != 0; }
  bool operator<(const derived& other) { return static_cast<bool>(*this) && &other != this; }
};

inline namespace v1 {
namespace detail {
template <auto Function>
struct bound {
  __attribute__((noinline)) int operator()(std::string_view text) const {
    Function();
    return static_cast<int>(text.size()) + used;
  }
};
}  // namespace detail
}  // namespace v1

// On a stack of its own, where nobody called what runs.
struct other_stack {
  ucontext_t here;
  ucontext_t there;
  alignas(16) std::array<char, 65536> memory;
};

void on_another_stack() {
  read_for_ever();
  used = 4;
}

__attribute__((noinline)) void switches_stacks() {
  auto* const other = new other_stack;
  ::getcontext(&other->there);
  other->there.uc_stack.ss_sp = other->memory.data();
  other->there.uc_stack.ss_size = other->memory.size();
  other->there.uc_link = nullptr;
  ::makecontext(&other->there, on_another_stack, 0);
  ::swapcontext(&other->here, &other->there);
  used = 5;
}

void on_urgent(int, siginfo_t*, void*) {
  read_for_ever();
  used = 6;
}

__attribute__((noinline)) void on_alternate_stack(void (*enroll)()) {
  constexpr std::size_t size = 131072;
  stack_t alternate{};
  alternate.ss_sp = new char[size];
  alternate.ss_size = size;
  ::sigaltstack(&alternate, nullptr);
  if (enroll != nullptr) enroll();
  struct sigaction action{};
  action.sa_sigaction = on_urgent;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigaction(SIGURG, &action, nullptr);
  ::pthread_kill(::pthread_self(), SIGURG);
  used = 7;
}

}  // namespace

void start_tangled_threads(void (*enroll)()) {
  std::set_terminate(park_instead_of_terminating);
  start_thread([] { realigned(7); });
  start_thread([] { realigned_with_alloca(5000U + static_cast<unsigned>(used)); });
  start_thread(in_destructor);
  start_thread(must_not_throw);
  start_thread([] { used = in_two_pieces(11); });
  start_thread([] { used = in_initialisation(); });
  wait_until_all_have_parked();
  start_thread([] { used = waits_for_initialisation(); });
  start_thread([] { used = derived{} < derived{} ? 1 : 0; });
  start_thread([] { used = detail::bound<&read_for_ever>{}("text"); });
  // On memory that nobody knows as a stack; enrolled threads may be signalled even there.
  start_thread(switches_stacks, "foreign stack");
  start_thread(
      [enroll] {
        enroll();
        switches_stacks();
      },
      "switched");
  start_thread([] { on_alternate_stack(nullptr); }, "foreign stack");
  start_thread([enroll] { on_alternate_stack(enroll); }, "alternate");
  start_thread([] { nasty_without_debug_information(read_for_ever); });
  start_thread([] { nasty_without_unwind_information(read_for_ever); });
}

}  // namespace nasty
