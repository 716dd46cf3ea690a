// What os/memory remembers. Plain atomics: signal handlers read and write them.
#pragma once

#include <sys/types.h>

#include <atomic>

namespace gmr::os {

struct memory_state {
  std::atomic<int> call_error{0};  // errno with which process_vm_readv was refused; 0: it was not
  std::atomic<int> file_error{0};  // errno with which /proc/self/mem was refused; 0: it was not

  // /proc/self/mem, kept open. The program may close it and have the number for something else, and
  // in a forked child it is the parent's memory: it is ours only while all four are as they were.
  std::atomic<int> file_and_one{0};  // 0: none
  std::atomic<pid_t> process{0};
  std::atomic<dev_t> device{0};
  std::atomic<ino_t> inode{0};
};
extern constinit memory_state memory_now;

// The kept descriptor while it is ours, otherwise -1. Async-signal-safe.
[[nodiscard]] int kept_memory_file() noexcept;

// Asks process_vm_readv for a byte that is there; 0 or the errno. Async-signal-safe.
[[nodiscard]] int try_process_vm_readv() noexcept;

}  // namespace gmr::os
