// Boost.Fiber without gmr: two fibers wait for a promise that standard input keeps.
#include <unistd.h>
#include <boost/fiber/fiber.hpp>
#include <boost/fiber/future.hpp>
#include <boost/fiber/operations.hpp>

#include <csignal>
#include <cstring>
#include <iostream>
#include <string>

int waiter(boost::fibers::shared_future<int> answer) {
  return answer.get();  // waiter waits here
}

extern "C" void own_handler(int) {
  static_cast<void>(!::write(STDOUT_FILENO, "own\n", 4));
}

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "own-handler") == 0) std::signal(SIGUSR2, own_handler);
  boost::fibers::promise<int> promise;
  const boost::fibers::shared_future<int> answer = promise.get_future().share();
  int sum = 0;
  boost::fibers::fiber first{[&] { sum += waiter(answer); }};
  boost::fibers::fiber second{[&] { sum += waiter(answer); }};
  boost::this_fiber::yield();
  std::cout << "parked" << std::endl;
  std::string line;
  std::getline(std::cin, line);
  promise.set_value(21);
  first.join();
  second.join();
  std::cout << sum << std::endl;
}
