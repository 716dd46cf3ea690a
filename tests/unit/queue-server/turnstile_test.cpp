#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <storage/turnstile.hpp>
#include <thread>

namespace queue_server {
namespace {

using std::chrono::milliseconds;
constexpr std::chrono::seconds patient{60};

TEST(turnstile, whoever_waits_is_before_who_has_just_been) {
  constexpr int turns = 100;
  turnstile& stile = turnstile::shared();
  std::atomic<bool> over = false;
  std::atomic<int> of_the_greedy = 0;
  std::thread greedy([&] {
    while (!over) {
      ASSERT_TRUE(stile.enter(patient));
      ++of_the_greedy;
      std::this_thread::sleep_for(milliseconds(1));
      stile.leave();
    }
  });
  while (of_the_greedy == 0)
    std::this_thread::yield();
  for (int turn = 0; turn < turns; ++turn) {
    EXPECT_TRUE(stile.enter(patient));
    stile.leave();
  }
  over = true;
  greedy.join();
  // One turn for one; more where this thread had no processor between two of its turns.
  EXPECT_LT(of_the_greedy, 10 * turns);
}

TEST(turnstile, patience_ends) {
  turnstile& stile = turnstile::shared();
  ASSERT_TRUE(stile.enter(patient));
  bool entered = true;
  std::thread([&] { entered = stile.enter(milliseconds(10)); }).join();
  EXPECT_FALSE(entered);
  stile.leave();
  ASSERT_TRUE(stile.enter(patient)) << "whoever gave up is not waited for";
  stile.leave();
}

TEST(turnstile, a_process_that_is_killed_gives_its_turn_back) {
  turnstile& stile = turnstile::shared();
  const pid_t child = ::fork();
  if (child == 0) ::_exit(stile.enter(patient) ? 0 : 1);  // and never leaves
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  for (int turn = 0; turn < 2; ++turn) {
    ASSERT_TRUE(stile.enter(patient));
    stile.leave();
  }
}

}  // namespace
}  // namespace queue_server
