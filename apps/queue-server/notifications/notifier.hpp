// Tells subscribers of what was posted: webhooks by an HTTP request for each message, and WebSocket
// clients that subscribed themselves by a message on their connection.
//
// Best effort, as in Zaqar: what is not delivered when the server stops is not delivered later. A
// webhook that does not answer with 2xx is told again as its retry policy says. Only hosts that
// the operator allows are connected to, redirections are not followed, and what they answer is read
// within bounds and dropped. Projects take turns, and none may have everything under way.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "budget.hpp"
#include "notifications/live_subscribers.hpp"
#include "verbs/results.hpp"
#include "verbs/rules.hpp"

namespace queue_server {

class mailboxes;
class service_log;

// All members: any thread.
class notifier final {
 public:
  // All must outlive it, `memory` also the io_context. `mail` leads to the other workers and
  // `number` is this one's; null: there are none.
  notifier(boost::asio::io_context& io, const rules& allowed, service_log& log, budget& memory,
           mailboxes* mail, int number);
  ~notifier();
  notifier(const notifier&) = delete;
  notifier& operator=(const notifier&) = delete;

  // Looks at what a request has done, and tells whom it concerns. Never throws.
  void announce(result&& done) noexcept;

  // What stands for the subscriber when a WebSocket client subscribes itself, who must be in this
  // list before it does, and is removed when it goes.
  [[nodiscard]] std::string new_address() const;
  [[nodiscard]] std::shared_ptr<live_subscribers> live() const noexcept;

  // Gives up what is under way and waits; no more is taken.
  void stop();

  struct counts {
    std::atomic<std::uint64_t> waiting = 0;  // for their turn, or to be tried again
    std::atomic<std::uint64_t> active = 0;   // under way
    std::atomic<std::uint64_t> delivered = 0;
    std::atomic<std::uint64_t> failed = 0;   // given up after the last retry
    std::atomic<std::uint64_t> dropped = 0;  // there were too many
    std::atomic<std::uint64_t> live = 0;     // handed to WebSocket clients
  };
  [[nodiscard]] const counts& counted() const noexcept;

 private:
  class implementation;
  std::shared_ptr<implementation> implementation_;
};

}  // namespace queue_server
