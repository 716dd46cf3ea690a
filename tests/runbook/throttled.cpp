// A service whose work needs more processor time than its control group may have.
#include "service.hpp"

namespace {

using namespace runbook;

volatile unsigned digest = 0;

void work() {
  for (int round = 0; round < 200'000; ++round)
    digest = digest * 31 + 7;
}

asio::awaitable<void> serve_requests() {
  say_stuck();
  for (;;) {
    work();
    co_await asio::post(use_awaitable);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const gmr::reporter reporter{{.name = "throttled", .version = "1"}, options(argc, argv)};
  asio::io_context io;
  co_spawn(io, serve_requests(), asio::detached);
  io.run();
}
