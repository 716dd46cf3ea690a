#include "capture/freed_block.hpp"

#include <algorithm>

#include "os/memory.hpp"

namespace gmr::capture {
namespace {

// What the GNU C library has before each block. From a block in use all those behind it are found
// by their sizes; `size_of_previous` is that of the block before where that one is free.
struct header {
  std::uintptr_t size_of_previous = 0;
  std::uintptr_t size_and_flags = 0;

  [[nodiscard]] std::uintptr_t size() const noexcept { return size_and_flags & ~std::uintptr_t{7}; }
  [[nodiscard]] bool previous_is_used() const noexcept { return (size_and_flags & 1) != 0; }
  [[nodiscard]] bool is_a_mapping() const noexcept { return (size_and_flags & 2) != 0; }
};

// Whether a free block that begins at or before `begin` ends where `behind` was read.
bool ends_free_block(std::uintptr_t at, const header& behind, std::uintptr_t begin) noexcept {
  const std::uintptr_t first = at - behind.size_of_previous;
  header whole;
  return !behind.previous_is_used() && first <= begin && os::read_object(first, whole) &&
         whole.size() == behind.size_of_previous;
}

}  // namespace

bool is_freed_block(std::uintptr_t block, std::uintptr_t size) noexcept {
  constexpr int most_steps = 16;
  const std::uintptr_t begin = block - sizeof(header);
  header each;
  if (!os::read_object(begin, each) || each.size() != size) return true;
  if (each.is_a_mapping()) return false;  // it would not be there any more
  // Freed, it has become a part of the free ones around it, in which old headers stay: on to the
  // end.
  std::uintptr_t at = begin;
  for (int step = 0; step < most_steps; ++step) {
    const std::uintptr_t behind = at + each.size();
    if (behind <= at || !os::read_object(behind, each)) return false;
    at = behind;
    if (ends_free_block(at, each, begin)) return true;
  }
  return false;
}

bool is_stack_gone(const machine_stack& stack) noexcept {
  const auto is_lost = [](const stack_mark& mark) {
    std::uintptr_t word = 0;
    return mark.address != 0 && (!os::read_object(mark.address, word) || word != mark.value);
  };
  return std::ranges::any_of(stack.marks, is_lost) ||
         (stack.block != 0 && is_freed_block(stack.block, stack.block_size));
}

}  // namespace gmr::capture
