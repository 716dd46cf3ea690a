// Whose turn it is to write, among processes that share a storage: each waits for those that came
// before it, and none for long. SQLite by itself lets a process try again after pauses, in which
// the one that is busy comes back first.
#pragma once

#include <pthread.h>

#include <chrono>

namespace queue_server {

// All members: any thread of any process that has it. A process that is killed gives its turn back.
class turnstile final {
 public:
  // In memory that is shared with the processes that are forked from then on, and never given back.
  // Throws std::system_error.
  [[nodiscard]] static turnstile& shared();

  // False: it was not this one's turn within `patience`.
  [[nodiscard]] bool enter(std::chrono::milliseconds patience) noexcept;
  void leave() noexcept;

 private:
  turnstile();

  // Who has the turn, and who has it next. The others wait to be next, so that whoever has just
  // written can't be first again.
  pthread_mutex_t writes_;
  pthread_mutex_t is_next_;
};

}  // namespace queue_server
