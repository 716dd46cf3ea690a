// What has to be done when the process forks: one list, in one order, behind one pthread_atfork.
#pragma once

#include <cstddef>

namespace gmr::os {

// In the order in which parent and child do their part; before the fork it is the reverse.
enum class fork_place : std::size_t {
  coroutine_frames,  // the arena is not left half changed; a thread has a new id
  operations,        // the same of records of operations
  threads,           // only the thread that forked is left
  schedulers,        // nobody is listing them
  memory,            // what is open of /proc/self/mem is the parent's memory
  own_proc,          // what is open of /proc/self tells of the parent
  trigger_signal,    // no report is made for the parent
  fatal_errors,      // nobody would report on them
  preload_reports,   // there is no thread that makes reports
  announcement,      // what was said of the parent is not mapped there
  sockets,           // nobody would answer on them
};
inline constexpr std::size_t fork_places = 11;

// What may be missing is null.
struct fork_actions {
  void (*before)() noexcept = nullptr;     // on the thread that forks; may wait for locks
  void (*in_parent)() noexcept = nullptr;  // undoes it
  void (*in_child)() noexcept = nullptr;   // async-signal-safe
};

// `actions` lives as long as the process. To be called again is harmless. False when there is no
// memory to register anything, or a thread that does so for the first time does not come on. Safe
// to call from any thread; takes a lock of the C library.
bool on_fork(fork_place place, const fork_actions& actions) noexcept;

}  // namespace gmr::os
