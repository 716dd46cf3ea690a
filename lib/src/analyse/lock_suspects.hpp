// Green threads that may hold a lock for which threads wait, although they are suspended.
//
// A lock belongs to the thread that took it. A green thread that keeps one across a suspension
// leaves it with a thread that goes on with something else, or with nothing: no stack of that
// thread shows why the lock is held.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "capture/green_threads.hpp"
#include "gmr/model/report.hpp"
#include "symbolize/symbolizer.hpp"
#include "unwind/unwinder.hpp"

namespace gmr::analyse {

// The suspended green threads that last ran on the holder of a lock.
struct lock_suspects {
  static constexpr std::size_t most_listed = 100;

  std::uint64_t address = 0;  // of the lock
  pid_t owner = 0;
  std::uint64_t count = 0;         // of those that last ran there
  std::vector<std::uint64_t> ids;  // of the first of them
  // Those that have the address of the lock among their variables: one of them took it, or will.
  std::vector<std::uint64_t> referring;
  std::string place;  // where the first of these is suspended: " in FUNCTION at FILE:LINE"
};

// Looks for them batch by batch. One object a report. Costs nothing while no
// thread waits for a mutex. Not synchronised.
class lock_suspect_finder final {
 public:
  // `threads`: what they wait for.
  lock_suspect_finder(std::span<const thread_info> threads, unwind::unwinder& unwinder);

  void take(std::span<const capture::captured_green_thread> batch);

  [[nodiscard]] std::vector<lock_suspects> finish(symbolize::symbolizer& symbolizer);

 private:
  struct evidence {
    lock_suspects found;
    std::vector<logical_frame> logical;  // of the first that refers to the lock
    unwind::raw_stack machine;
  };

  void take(const green_thread_view& view);
  void take(const green_thread_view& view, const capture::stack_snapshot& copy);
  // Calls `refers` with each lock of the thread that ran it last; that says whether the green
  // thread's variables refer to it.
  template <class Refers, class Remember>
  void weigh(const green_thread_view& view, Refers refers, Remember remember);

  unwind::unwinder& unwinder_;
  std::map<std::pair<pid_t, std::uint64_t>, evidence> locks_;  // by owner and address
  std::vector<std::uintptr_t> words_;                          // reused
  std::uint64_t looked_into_ = 0;
};

}  // namespace gmr::analyse
