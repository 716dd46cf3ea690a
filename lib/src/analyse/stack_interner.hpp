// Gives equal sequences of words equal numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace gmr::analyse {

// Made for a million look-ups of few different stacks: one flat table, no allocation for a sequence
// that is known. Not synchronised.
class stack_interner final {
 public:
  // Numbers count from 0 in order of first appearance.
  std::uint32_t intern(std::span<const std::uint64_t> words);

  [[nodiscard]] std::span<const std::uint64_t> at(std::uint32_t number) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct entry {
    std::uint64_t hash = 0;
    std::size_t begin = 0;
    std::size_t size = 0;
  };

  void grow();

  std::vector<std::uint64_t> words_;
  std::vector<entry> entries_;
  std::vector<std::uint32_t> table_;  // number + 1, 0 for a free place; its size a power of two
};

}  // namespace gmr::analyse
