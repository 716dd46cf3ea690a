// A thread stopped at a known place, and a snapshot of it as the capture stage would take it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <semaphore>
#include <thread>
#include <vector>

#include "capture/snapshot.hpp"

namespace gmr::test {

// Owns the bytes of the snapshot.
struct taken_stack {
  capture::stack_snapshot snapshot;
  std::vector<std::byte> bytes;
};

// Runs `chain` on a thread of its own until that calls park(), and holds it there.
class parked_thread final {
 public:
  explicit parked_thread(std::function<void(parked_thread&)> chain);
  ~parked_thread();
  parked_thread(const parked_thread&) = delete;
  parked_thread& operator=(const parked_thread&) = delete;

  // To be called by the chain, directly: its caller is the first frame above park().
  void park();

  // At most `limit` bytes from sp on.
  [[nodiscard]] taken_stack take(std::size_t limit = SIZE_MAX) const;
  // Where the address that park() returns to is stored.
  [[nodiscard]] std::uintptr_t return_slot() const { return return_slot_; }
  // Everything further out than this belongs to the start of the thread.
  [[nodiscard]] std::uintptr_t chain_begin() const { return chain_begin_; }
  // What glibc's backtrace() said on the thread itself, from park() on.
  [[nodiscard]] const std::vector<void*>& backtrace() const { return backtrace_; }

 private:
  capture::register_set registers_;
  std::uintptr_t stack_end_ = 0;
  std::uintptr_t chain_begin_ = 0;
  std::uintptr_t return_slot_ = 0;
  std::vector<void*> backtrace_;
  std::binary_semaphore parked_{0};
  std::binary_semaphore go_on_{0};
  std::thread thread_;
};

}  // namespace gmr::test
