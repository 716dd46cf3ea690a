// Tells subscribers of what was posted, by an HTTP request to each: webhooks.
//
// Best effort, as in Zaqar: what is not delivered when the server stops is not delivered later. A
// subscriber that does not answer with 2xx is told again as its retry policy says. Only hosts that
// the operator allows are connected to, redirections are not followed, and what they answer is read
// within bounds and dropped.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>

#include "verbs/results.hpp"
#include "verbs/rules.hpp"

namespace queue_server {

class service_log;

// All members: any thread.
class notifier final {
 public:
  // All must outlive it.
  notifier(boost::asio::io_context& io, const rules& allowed, service_log& log);
  ~notifier();
  notifier(const notifier&) = delete;
  notifier& operator=(const notifier&) = delete;

  // Looks at what a request has done, and tells whom it concerns. Never throws.
  void announce(const result& done) noexcept;

  // Gives up what is under way and waits; no more is taken.
  void stop();

  struct counts {
    std::atomic<std::uint64_t> waiting = 0;  // for their turn
    std::atomic<std::uint64_t> active = 0;   // under way, or waiting to try again
    std::atomic<std::uint64_t> delivered = 0;
    std::atomic<std::uint64_t> failed = 0;   // given up after the last retry
    std::atomic<std::uint64_t> dropped = 0;  // there were too many
  };
  [[nodiscard]] const counts& counted() const noexcept;

 private:
  class implementation;
  std::shared_ptr<implementation> implementation_;
};

}  // namespace queue_server
