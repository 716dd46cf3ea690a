// Makes worker processes, also when this process has threads and a reporter, which a child must not
// inherit: a process forked before them, with one thread and nothing else, does it when told to.
#pragma once

#include <sys/types.h>

namespace queue_server {

// What a worker says of itself, in one write. Twice: when it begins, and when it serves.
struct worker_state {
  int number = 0;
  pid_t pid = 0;
  bool serves = false;
};

class spawner final {
 public:
  // Forks. In the caller, returns with number() -1; in each worker, whenever one is made, with the
  // number that spawn() was given, as a child of the caller's process. Throws std::system_error.
  spawner();
  ~spawner();
  spawner(const spawner&) = delete;
  spawner& operator=(const spawner&) = delete;

  [[nodiscard]] int number() const noexcept { return number_; }

  // In the caller. False: the spawning process has ended.
  [[nodiscard]] bool spawn(int number) const noexcept;
  // Of worker_state; to be read by the caller. Non-blocking.
  [[nodiscard]] int states() const noexcept { return states_[0]; }

  // In a worker.
  void say_it_serves() const noexcept;

 private:
  void serve_requests(pid_t caller);
  void become_worker(int number, pid_t caller);
  void say(bool serves) const noexcept;

  int requests_[2] = {-1, -1};  // numbers of workers to be made
  int states_[2] = {-1, -1};
  pid_t helper_ = -1;
  int number_ = -1;
};

}  // namespace queue_server
