// Contexts of the C library without gmr: three wait while standard input is waited for; then all
// have ended.
#include <ucontext.h>

#include <array>
#include <iostream>
#include <string>
#include <vector>

namespace {

constexpr std::size_t count = 3;
ucontext_t loop;
std::array<ucontext_t, count> contexts;

volatile int went_on = 0;  // written behind calls, which would leave no frame otherwise

void wait_in_context(int number) {
  ::swapcontext(&contexts[static_cast<std::size_t>(number)], &loop);  // a context waits here
  went_on = number;
}

void session(int number) {
  wait_in_context(number);
  went_on = number;
}

void say_and_wait(const char* word) {
  std::cout << word << std::endl;
  std::string line;
  std::getline(std::cin, line);
}

}  // namespace

int main() {
  std::array<std::vector<char>, count> stacks;
  for (std::size_t i = 0; i < count; ++i) {
    stacks[i].resize(256 * 1024);
    ::getcontext(&contexts[i]);
    contexts[i].uc_stack.ss_sp = stacks[i].data();
    contexts[i].uc_stack.ss_size = stacks[i].size();
    contexts[i].uc_link = &loop;
    ::makecontext(&contexts[i], reinterpret_cast<void (*)()>(session), 1, static_cast<int>(i));
    ::swapcontext(&loop, &contexts[i]);
  }
  say_and_wait("parked");
  for (ucontext_t& each : contexts)
    ::swapcontext(&loop, &each);
  say_and_wait("ended");
}
