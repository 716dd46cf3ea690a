#include "os/fork.hpp"

#include <pthread.h>

#include <array>
#include <atomic>

namespace gmr::os {
namespace {

using all_actions = std::array<const fork_actions*, fork_places>;

constinit std::array<std::atomic<const fork_actions*>, fork_places> registered{};
constinit std::atomic<bool> is_listening{false};

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
  if (is_listening.exchange(true)) return true;
  if (::pthread_atfork(before, in_parent, in_child) == 0) return true;
  is_listening.store(false);
  return false;
}

}  // namespace gmr::os
