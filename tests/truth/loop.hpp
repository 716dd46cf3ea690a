// The io_contexts of the truth program, which live until the process ends, and running them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>

#include "logical_stack.hpp"

namespace truth {

namespace asio = boost::asio;

asio::io_context& loop();
// What is posted there waits for its turn for ever.
asio::io_context& stopped_loop();

// For one wait that does not end; lives until the process does.
template <class Executor>
auto& endless_timer(const Executor& executor) {
  using timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                           asio::wait_traits<std::chrono::steady_clock>, Executor>;
  return *new timer{executor, std::chrono::hours{24}};
}

// Runs the loop on so many threads, which end, until all have parked.
void run_until_parked(int threads, const std::function<void()>& start);

}  // namespace truth
