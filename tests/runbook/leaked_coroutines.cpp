// Each request leaves a coroutine behind that waits for an answer which nobody sends any more.
#include <boost/asio/experimental/channel.hpp>
#include <list>

#include "service.hpp"

namespace {

using namespace runbook;

using answer_channel = asio::experimental::channel<void(boost::system::error_code, int)>;

asio::awaitable<void> await_answer(answer_channel& answers) {
  co_await answers.async_receive(use_awaitable);
}

asio::awaitable<void> serve_requests() {
  std::list<answer_channel> forgotten;
  asio::steady_timer next{co_await asio::this_coro::executor};
  for (int request = 0;; ++request) {
    if (request == 20) say_stuck();
    forgotten.emplace_back(next.get_executor());
    co_spawn(next.get_executor(), await_answer(forgotten.back()), asio::detached);
    next.expires_after(std::chrono::milliseconds{50});
    co_await next.async_wait(use_awaitable);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const gmr::reporter reporter{{.name = "leaked_coroutines", .version = "1"}, options(argc, argv)};
  asio::io_context io;
  co_spawn(io, serve_requests(), asio::detached);
  io.run();
}
