#include "os/fork.hpp"

#include <pthread.h>
#include <sched.h>

#include <array>
#include <atomic>

namespace gmr::os {
namespace {

using all_actions = std::array<const fork_actions*, fork_places>;

constinit std::array<std::atomic<const fork_actions*>, fork_places> registered{};

enum class fork_listening { none, under_way, done };
constinit std::atomic<fork_listening> listens_to_forks{fork_listening::none};

// What was begun before the fork is what has to be ended after it, whoever registers meanwhile.
[[gnu::tls_model("initial-exec")]] constinit thread_local all_actions begun{};

void before() noexcept {
  for (std::size_t i = fork_places; i-- > 0;) {
    begun[i] = registered[i].load(std::memory_order_acquire);
    if (begun[i] != nullptr && begun[i]->before != nullptr) begun[i]->before();
  }
}

void in_parent() noexcept {
  for (const fork_actions* const each : begun)
    if (each != nullptr && each->in_parent != nullptr) each->in_parent();
}

void in_child() noexcept {
  for (const fork_actions* const each : begun)
    if (each != nullptr && each->in_child != nullptr) each->in_child();
}

}  // namespace

bool on_fork(fork_place place, const fork_actions& actions) noexcept {
  registered[static_cast<std::size_t>(place)].store(&actions, std::memory_order_release);
  constexpr int most_tries = 1000;
  for (int tries = 0; tries < most_tries; ++tries) {
    fork_listening seen = fork_listening::none;
    if (listens_to_forks.compare_exchange_strong(seen, fork_listening::under_way)) {
      const bool is_done = ::pthread_atfork(before, in_parent, in_child) == 0;
      listens_to_forks.store(is_done ? fork_listening::done : fork_listening::none);
      return is_done;
    }
    if (seen == fork_listening::done) return true;
    ::sched_yield();  // another thread is about to do it
  }
  return false;
}

}  // namespace gmr::os
