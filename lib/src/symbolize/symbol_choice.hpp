// Which symbols cover addresses, from symbols that come in any order: none is kept but the best.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace gmr::symbolize {

struct code_symbol {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  bool sized = true;  // otherwise up to the next symbol, and at most to the end of its section
  unsigned rank = 0;  // of names for one place the lowest is shown
  std::uintptr_t name = 0;  // whatever the caller finds it by; 0: none
};

// Takes a few words for each address, however many symbols there are. Not synchronised.
class symbol_choice final {
 public:
  // `addresses` are sorted, and outlive the object.
  explicit symbol_choice(std::span<const std::uintptr_t> addresses);

  // `same_place` says which of two symbols that begin at one address is shown: whether the second.
  template <class SamePlace>
  void consider(const code_symbol& next, SamePlace same_place) {
    const std::size_t first = first_at(next.begin);
    if (first == addresses_.size()) return;
    note_begin(first, next);
    if (!next.sized) return;
    for (std::size_t i = first; i < addresses_.size() && addresses_[i] < next.end; ++i) {
      code_symbol& best = best_[i];
      if (best.name == 0 || next.begin > best.begin ||
          (next.begin == best.begin && same_place(best, next)))
        best = next;
    }
  }
  void consider(const code_symbol& next) {
    consider(next, [](const code_symbol& a, const code_symbol& b) { return b.rank < a.rank; });
  }

  // What was considered last counts for all that is not sized.
  void finish();

  // After that. The name of the symbol that covers the address of that index; 0 when none does.
  [[nodiscard]] std::uintptr_t name(std::size_t index) const { return best_[index].name; }
  [[nodiscard]] bool is_empty() const noexcept { return is_empty_; }

 private:
  [[nodiscard]] std::size_t first_at(std::uintptr_t begin) const;
  void note_begin(std::size_t index, const code_symbol& next);

  std::span<const std::uintptr_t> addresses_;
  bool is_empty_ = true;
  std::vector<code_symbol> best_;    // of those with a size
  std::vector<code_symbol> latest_;  // the last to begin between an address and the one before
};

}  // namespace gmr::symbolize
