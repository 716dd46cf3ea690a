// A parser does not go on where its input is not what it expects, and keeps its event loop busy for
// ever.
#include <string_view>

#include "service.hpp"

namespace {

using namespace runbook;

std::size_t count_fields(std::string_view line) {
  std::size_t fields = 0;
  while (!line.empty()) {
    const std::size_t end = line.find(';');
    if (end == std::string_view::npos) continue;  // the mistake: the rest is never taken
    line.remove_prefix(end + 1);
    ++fields;
  }
  return fields;
}

asio::awaitable<void> handle_upload(std::string text) {
  co_await asio::post(use_awaitable);
  say_stuck();
  std::cout << count_fields(text) << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  const gmr::reporter reporter{{.name = "cpu_spin", .version = "1"}, options(argc, argv)};
  asio::io_context io;
  co_spawn(io, heartbeat(), asio::detached);
  co_spawn(io, handle_upload("1;2;3"), asio::detached);
  io.run();
}
