// What runs section generators: threads that may be left behind in a generator that hangs. All of
// it is kept alive by shared pointers, so that a thread left behind finds what it needs even when
// the registry is gone.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "gmr/model/value.hpp"
#include "gmr/section/section.hpp"

namespace gmr::sections {

// A registered section. Everything but title, position and owner is protected by
// section_state::mutex.
struct section_entry {
  std::string title;
  section_position position;
  const void* owner = nullptr;       // the registry that it goes with; null: none
  std::function<value()> generator;  // called without the lock, never changed while running
  std::shared_ptr<void> kept;        // the guard of a registration that was released
  bool removed = false;
  bool released = false;  // nobody waits for its end
  bool running = false;
  std::thread::id runner;                       // while running
  std::chrono::system_clock::time_point since;  // while running
};

// One call of a generator; protected by section_state::mutex.
struct section_job {
  enum class progress { queued, running, done };

  std::shared_ptr<section_entry> entry;
  progress at = progress::queued;
  value content;
  std::string error;
};

// Shared by all registries, guards and workers of the process.
struct section_state {
  std::mutex mutex;
  std::condition_variable changed;  // anything below, or a job
  std::list<std::shared_ptr<section_entry>> entries;
  std::size_t left_behind = 0;  // workers in a generator that hangs
};

// A thread "gmr-sections" that runs one job at a time. It blocks all signals but that which
// captures its stack (-1: none) and those of faults.
class section_worker final {
 public:
  // Throws std::system_error when there can be no more threads.
  section_worker(std::shared_ptr<section_state> state, int capture_signal);
  ~section_worker();  // waits for the thread, which must not be in a generator, or be left behind
  section_worker(const section_worker&) = delete;
  section_worker& operator=(const section_worker&) = delete;

  // To be called with the lock held, when no job is queued or running.
  void start(std::shared_ptr<section_job> job);
  // To be called with the lock held: takes back a job that has not begun.
  void take_back();
  // To be called with the lock held: the thread ends after the generator it is in.
  void leave_behind();
  // To be called with the lock held: whether the generator ended the thread (pthread_exit).
  [[nodiscard]] bool is_dead() const noexcept;

 private:
  struct loop;
  std::shared_ptr<section_state> state_;
  std::shared_ptr<loop> loop_;
  std::thread thread_;
};

}  // namespace gmr::sections
