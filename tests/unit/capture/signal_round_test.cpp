// Signals that arrive after the deadline.
#include "capture/signal_round.hpp"

#include <gmock/gmock.h>
#include <signal.h>

#include <span>

#include "capture/thread_capturer.hpp"
#include "test_threads.hpp"

namespace gmr::capture {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::test_thread;
using testing::wait_until;

constexpr std::size_t room = 65536;
constexpr std::byte pattern{0xa5};

// A thread that blocks all signals until it is told to let them through.
class deaf_thread {
 public:
  [[nodiscard]] pid_t id() const { return thread_.id(); }
  void listen() { listens_ = true; }
  deaf_thread() {
    wait_until([this] { return is_deaf_.load(); });
  }

 private:
  std::atomic<bool> is_deaf_ = false;
  std::atomic<bool> listens_ = false;
  std::atomic<bool> stop_ = false;
  test_thread thread_{[this] {
                        sigset_t all;
                        sigfillset(&all);
                        pthread_sigmask(SIG_SETMASK, &all, nullptr);
                        is_deaf_ = true;
                        while (!listens_ && !stop_)
                          std::this_thread::yield();
                        pthread_sigmask(SIG_UNBLOCK, &all, nullptr);
                        while (!stop_)
                          std::this_thread::yield();
                      },
                      [this] { stop_ = true; }};
};

class SignalRound : public ::testing::Test {
 protected:
  // Asks the thread, which does not answer in time. Returns the slot that its signal is for.
  std::uint32_t ask_in_vain(pid_t thread) {
    std::uint32_t slot = *pool_.acquire(room);
    std::ranges::fill(memory_of(slot), pattern);
    round_.begin();
    EXPECT_EQ(round_.ask(thread, capturer_.signal(), false, slot), send_result::sent);
    round_.wait(steady_clock::now() + milliseconds{20});
    EXPECT_EQ(round_.answer_of(0), answer::none);
    return slot;
  }
  std::span<std::byte> memory_of(std::uint32_t slot) { return {pool_.at(slot).memory, room}; }

  thread_capturer capturer_{{}};  // owns the signal
  slot_pool& pool_ = slot_pool::instance();
  signal_round round_{pool_};
};

TEST_F(SignalRound, ALateSignalWritesNowhere) {
  deaf_thread thread;
  const std::uint32_t slot = ask_in_vain(thread.id());
  EXPECT_EQ(pool_.phase(slot), slot_revoked);
  thread.listen();
  wait_until([&] { return pool_.phase(slot) == slot_late; });
  EXPECT_THAT(memory_of(slot), ::testing::Each(pattern));
  EXPECT_THAT(pool_.at(slot).registers, ::testing::Each(0U));
}

// Signals must not pile up in a thread that never listens.
TEST_F(SignalRound, ASignalThatIsStillOnItsWayAnswersTheNextRound) {
  deaf_thread thread;
  const std::uint32_t first = ask_in_vain(thread.id());
  std::uint32_t slot = *pool_.acquire(room);
  round_.begin();
  EXPECT_EQ(round_.ask(thread.id(), capturer_.signal(), true, slot), send_result::sent);
  EXPECT_EQ(slot, first);
  thread.listen();
  round_.wait(steady_clock::now() + std::chrono::seconds{60});
  EXPECT_EQ(round_.answer_of(0), answer::given);
  EXPECT_NE(pool_.at(slot).registers[pc_register], 0U);
  pool_.release(slot);
}

}  // namespace
}  // namespace gmr::capture
