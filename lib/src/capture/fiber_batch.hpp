// Copies the stacks of many suspended fibers with few system calls.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_set>
#include <vector>

#include "capture/green_threads.hpp"

namespace gmr::capture {

// Gathers green threads, and copies the stacks of the fibers among them together. Its memory is
// reserved once. Not synchronised.
class fiber_batch final {
 public:
  explicit fiber_batch(std::size_t stack_bytes);

  // Whether there is no room for one more.
  [[nodiscard]] bool full() const noexcept;
  // What the view points to must live until the batch is cleared.
  void add(const green_thread_view& view);

  // Copies the stacks. Of a fiber whose stack could not be copied unchanged the id is put into
  // `moved`, or, when that is null, it is among the others as running. Valid until cleared.
  [[nodiscard]] std::span<const captured_green_thread> copy(
      std::unordered_set<std::uint64_t>* moved);
  void clear() noexcept;

 private:
  struct fiber {
    stack_snapshot copy;
    bool is_copied = false;
  };
  struct part {  // of a stack that is to be copied
    std::size_t fiber = 0;
    iovec to{};
    iovec from{};
  };

  void plan(const machine_stack& machine);
  void add_part(unsigned which, std::uintptr_t from, std::size_t size);
  void copy_parts();
  [[nodiscard]] bool is_gone(const machine_stack& stack, const stack_snapshot* copy) noexcept;
  [[nodiscard]] std::size_t copy_from(std::size_t first_part);

  std::size_t stack_bytes_;
  std::size_t capacity_;
  std::unique_ptr<std::byte[]> memory_;
  std::size_t used_ = 0;
  std::uint64_t looked_up_ = 0;
  std::vector<captured_green_thread> gathered_;
  std::vector<fiber> fibers_;  // those of them that have a stack to copy
  std::vector<part> parts_;
  std::vector<iovec> to_;
  std::vector<iovec> from_;
};

}  // namespace gmr::capture
