// Stacks for very many fibers.
#pragma once

#include <sys/mman.h>

#include <boost/context/stack_context.hpp>
#include <cstddef>
#include <new>

// Stacks side by side in one mapping, without guard pages, never given back: a mapping for each, as
// protected stacks need, would meet vm.max_map_count (65,530) at some 32,000.
class one_mapping final {
 public:
  one_mapping(std::size_t count, std::size_t stack_bytes) : stack_bytes_(stack_bytes) {
    void* const memory = ::mmap(nullptr, count * stack_bytes, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc{};
    next_ = static_cast<std::byte*>(memory);
  }

  // What Boost.Context takes, by value.
  class allocator final {
   public:
    explicit allocator(one_mapping& from) : from_(&from) {}

    boost::context::stack_context allocate() {
      boost::context::stack_context stack;
      stack.size = from_->stack_bytes_;
      stack.sp = from_->next_ += from_->stack_bytes_;
      return stack;
    }
    void deallocate(boost::context::stack_context&) noexcept {}

   private:
    one_mapping* from_;
  };

 private:
  std::size_t stack_bytes_;
  std::byte* next_;
};
