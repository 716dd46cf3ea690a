#include "symbolize/symbol_choice.hpp"

#include <algorithm>

namespace gmr::symbolize {

symbol_choice::symbol_choice(std::span<const std::uintptr_t> addresses)
    : addresses_(addresses), best_(addresses.size()), latest_(addresses.size()) {}

std::size_t symbol_choice::first_at(std::uintptr_t begin) const {
  return static_cast<std::size_t>(std::lower_bound(addresses_.begin(), addresses_.end(), begin) -
                                  addresses_.begin());
}

// Of those that begin at one place one with a size counts before those without.
void symbol_choice::note_begin(std::size_t index, const code_symbol& next) {
  is_empty_ = false;
  code_symbol& latest = latest_[index];
  if (latest.name == 0 || next.begin > latest.begin ||
      (next.begin == latest.begin &&
       (next.sized != latest.sized ? next.sized : next.rank < latest.rank)))
    latest = next;
}

void symbol_choice::finish() {
  code_symbol latest;
  for (std::size_t i = 0; i < addresses_.size(); ++i) {
    if (latest_[i].name != 0) latest = latest_[i];
    const bool covers = latest.name != 0 && !latest.sized && addresses_[i] < latest.end;
    if (covers && (best_[i].name == 0 || latest.begin > best_[i].begin)) best_[i] = latest;
  }
}

}  // namespace gmr::symbolize
