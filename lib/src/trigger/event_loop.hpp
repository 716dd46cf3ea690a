// The io_context in which triggers wait and the reporter's strand is.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace gmr {

// It is asked for what is ready and never waited in: its descriptors are the service's to close,
// and whoever waits for them then waits for ever, or spins. A program that closes all descriptors
// it does not know may have their numbers for files of its own; from then on nothing of the loop,
// and of what was made in it, may be used or destroyed: see is_lost.
class event_loop final {
 public:
  event_loop();   // lost from the beginning where there are no descriptors for it
  ~event_loop();  // leaves it behind when it is lost
  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;

  // Not while it is lost.
  [[nodiscard]] boost::asio::io_context& context() noexcept { return *context_; }

  // Runs what is ready and returns how many handlers that were; 0 when it is lost. Throws what they
  // throw. On one thread at a time.
  std::size_t poll();

  // Whether its descriptors are not its own any more, once and for all. Reads a file in /proc. Safe
  // to call from any thread.
  [[nodiscard]] bool is_lost() noexcept;

  // Has it count as lost, where somebody may still use its descriptors. Safe to call from any
  // thread.
  void lose() noexcept { lost_.store(true); }

 private:
  std::unique_ptr<boost::asio::io_context> context_;
  std::atomic<bool> lost_{false};
};

// What was made in a loop that is lost: to be destroyed it would touch the loop.
template <class Made>
void leave_behind(std::unique_ptr<Made>& made) noexcept {
  [[maybe_unused]] Made* const left = made.release();
}

}  // namespace gmr
