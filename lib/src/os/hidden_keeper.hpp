// What the keeper of a hidden process and the thread that started it tell each other.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>

namespace gmr::os {

enum class keeper_step : int {
  none,
  descriptors,
  memory_file,
  writing,
  process,
  execution,
};

struct keeper_orders {
  const std::byte* image = nullptr;
  std::size_t image_size = 0;
  char* const* arguments = nullptr;
  char* const* environment = nullptr;
  int socket = -1;    // the program's end
  int own_proc = -1;  // /proc/self, where that is kept open
  pid_t service = 0;
  bool by_wait4 = false;  // a filter refuses waitid
};

// Both sides change `phase` only from what they expect: a number that was reaped may be another
// process's, so nobody kills while the keeper reaps, and the keeper reaps while nobody kills.
enum class keeper_phase : int { starting, running, killing, reaping, ended };

struct keeper_state {
  keeper_orders orders;
  std::atomic<keeper_phase> phase{keeper_phase::starting};
  std::atomic<pid_t> program{0};
  std::atomic<int> status{-1};
  std::atomic<keeper_step> failed{keeper_step::none};
  std::atomic<int> error{0};
};

// The keeper. Runs in the service's memory, on a stack of its own but with the thread-local storage
// of the thread that started it: raw system calls only.
int keep_program(void* state) noexcept;

}  // namespace gmr::os
