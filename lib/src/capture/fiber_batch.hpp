// Copies the stacks of many suspended fibers with few system calls.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "capture/green_threads.hpp"

namespace gmr::capture {

// Gathers fibers, copies their stacks together, hands them on, and is empty again. Its memory is
// reserved once. Not synchronised.
class fiber_batch final {
 public:
  explicit fiber_batch(std::size_t stack_bytes);

  // Whether there is room for one more.
  [[nodiscard]] bool full() const noexcept;
  // `view.machine` is not null. Copies what the view points to.
  void add(const green_thread_view& view);

  // Copies the stacks and hands all on. A fiber whose stack could not be copied unchanged is put
  // into `moved`, or, when that is null, handed on as running.
  void finish(green_thread_consumer& consumer, std::unordered_set<std::uint64_t>* moved);
  // Forgets what it has gathered.
  void clear() noexcept;

 private:
  struct entry {
    green_thread_view view;
    std::string name;
    std::vector<std::pair<std::string, std::string>> label_texts;
    std::vector<std::pair<std::string_view, std::string_view>> labels;
    std::string waits_for;
    std::vector<waiting_operation> operations;
    machine_stack machine;
    stack_snapshot copy;
    bool copied = false;
  };
  struct part {  // of a stack that is to be copied
    std::size_t entry = 0;
    iovec to{};
    iovec from{};
  };

  void plan(std::size_t index);
  void add_part(std::size_t index, unsigned which, std::uintptr_t from, std::size_t size);
  void copy();
  [[nodiscard]] std::size_t copy_from(std::size_t first_part);

  std::size_t stack_bytes_;
  std::size_t capacity_;
  std::unique_ptr<std::byte[]> memory_;
  std::size_t used_ = 0;
  std::vector<entry> entries_;  // grown once; the first count_ are in use
  std::size_t count_ = 0;
  std::vector<part> parts_;
  std::vector<iovec> to_;
  std::vector<iovec> from_;
  pid_t process_;
};

}  // namespace gmr::capture
