#include "analyse/stack_interner.hpp"

#include <algorithm>

namespace gmr::analyse {
namespace {

std::uint64_t hash_of(std::span<const std::uint64_t> words) noexcept {
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15U;
  std::uint64_t hash = words.size();
  for (const std::uint64_t word : words) {
    hash = (hash ^ word) * odd;
    hash ^= hash >> 32U;
  }
  return hash;
}

}  // namespace

std::span<const std::uint64_t> stack_interner::at(std::uint32_t number) const noexcept {
  const entry& found = entries_[number];
  return {words_.data() + found.begin, found.size};
}

std::uint32_t stack_interner::intern(std::span<const std::uint64_t> words) {
  if (2 * (entries_.size() + 1) > table_.size()) grow();
  const std::uint64_t hash = hash_of(words);
  const std::size_t mask = table_.size() - 1;
  std::size_t place = hash & mask;
  for (; table_[place] != 0; place = (place + 1) & mask) {
    const std::uint32_t number = table_[place] - 1;
    if (entries_[number].hash == hash && std::ranges::equal(at(number), words)) return number;
  }
  const auto number = static_cast<std::uint32_t>(entries_.size());
  entries_.push_back({hash, words_.size(), words.size()});
  words_.insert(words_.end(), words.begin(), words.end());
  table_[place] = number + 1;
  return number;
}

void stack_interner::grow() {
  constexpr std::size_t smallest = 64;
  table_.assign(std::max(smallest, 2 * table_.size()), 0);
  const std::size_t mask = table_.size() - 1;
  for (std::uint32_t number = 0; number < entries_.size(); ++number) {
    std::size_t place = entries_[number].hash & mask;
    while (table_[place] != 0)
      place = (place + 1) & mask;
    table_[place] = number + 1;
  }
}

}  // namespace gmr::analyse
