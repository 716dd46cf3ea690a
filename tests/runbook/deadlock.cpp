// Two transfers lock the same two accounts in opposite order.
#include <latch>
#include <mutex>
#include <thread>

#include "service.hpp"

namespace {

using namespace runbook;

struct account {
  std::mutex lock;
  long balance = 100;
};

void transfer(account& from, account& to, std::latch& each_has_one) {
  const std::lock_guard first{from.lock};
  each_has_one.arrive_and_wait();  // what chance does elsewhere
  const std::lock_guard second{to.lock};
  --from.balance;
  ++to.balance;
}

}  // namespace

int main(int argc, char** argv) {
  const gmr::reporter reporter{{.name = "deadlock", .version = "1"}, options(argc, argv)};
  account rent;
  account savings;
  std::latch each_has_one{3};
  asio::io_context io;
  asio::post(io, [&] { transfer(rent, savings, each_has_one); });
  asio::post(io, [&] { transfer(savings, rent, each_has_one); });
  const std::jthread first{[&] { io.run(); }};
  const std::jthread second{[&] { io.run(); }};
  each_has_one.arrive_and_wait();
  say_stuck();
}
