// The addresses of one module while they are looked up, each at the level that it has been lowered
// to.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "symbolize/backend.hpp"
#include "symbolize/helper_session.hpp"
#include "symbolize/wire.hpp"

namespace gmr::symbolize {

[[nodiscard]] constexpr name_level below(name_level level) noexcept {
  return level == name_level::none ? level
                                   : static_cast<name_level>(static_cast<unsigned>(level) + 1);
}

class module_work final {
 public:
  module_work(const os::module& in, std::span<const std::uintptr_t> addresses, name_level first)
      : found(addresses.size()), levels_(addresses.size(), first), open_(addresses.size(), true) {
    for (const std::uintptr_t each : addresses)
      in_file_.push_back(each - in.base);
  }

  // The highest level that an address waits at.
  [[nodiscard]] name_level level() const {
    name_level best = name_level::none;
    for (std::size_t i = 0; i < open_.size(); ++i)
      if (open_[i]) best = std::min(best, levels_[i]);
    return best;
  }
  // The addresses that wait there, as in the file; asked for from now on.
  [[nodiscard]] std::vector<std::uintptr_t> ask(name_level level) {
    std::vector<std::uintptr_t> addresses;
    asked_.clear();
    reading_.clear();
    for (std::size_t i = 0; i < open_.size(); ++i) {
      if (!open_[i] || levels_[i] != level) continue;
      addresses.push_back(in_file_[i]);
      asked_.push_back(i);
    }
    return addresses;
  }

  // Indexes are those of the addresses that were asked for; false when there are none such.
  [[nodiscard]] bool take(found_answer&& answer) {
    if (answer.index >= asked_.size()) return false;
    const std::size_t index = asked_[answer.index];
    found[index].places = std::move(answer.places);
    open_[index] = false;
    return true;
  }
  [[nodiscard]] bool take(const reading_answer& answer) {
    reading_.clear();
    for (const std::size_t each : answer.indexes) {
      if (each >= asked_.size()) return false;
      reading_.push_back(asked_[each]);
    }
    return true;
  }
  // What was asked for and is still open is not known.
  void finish() {
    for (const std::size_t each : asked_)
      open_[each] = false;
  }

  // What was answered with nothing may be known elsewhere.
  void reopen_unknown() {
    for (std::size_t i = 0; i < open_.size(); ++i)
      if (found[i].places.empty()) open_[i] = true;
  }

  // What was being read, or else all that was asked for, is looked up at a lower level.
  void lower(answer_life life) {
    bool any = false;
    for (const std::size_t each : reading_)
      any = lower(each, life) || any;
    if (any) return;
    for (const std::size_t each : asked_)
      lower(each, life);
  }
  void lower_all(name_level to) {
    for (std::size_t i = 0; i < open_.size(); ++i)
      if (open_[i]) levels_[i] = std::max(levels_[i], to);
  }

  // Whether nothing had been read when it ended.
  [[nodiscard]] bool was_opening() const noexcept { return reading_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return open_.size(); }
  [[nodiscard]] bool is_open(std::size_t index) const { return open_[index]; }
  [[nodiscard]] std::size_t count_below(name_level level) const {
    return static_cast<std::size_t>(
        std::count_if(levels_.begin(), levels_.end(), [&](name_level l) { return l > level; }));
  }
  [[nodiscard]] name_level lowest() const {
    return *std::max_element(levels_.begin(), levels_.end());
  }
  [[nodiscard]] std::uintptr_t address_in_file(std::size_t index) const { return in_file_[index]; }

  std::vector<located> found;  // one for each address

 private:
  bool lower(std::size_t index, answer_life life) {
    if (!open_[index]) return false;
    levels_[index] = below(levels_[index]);
    found[index].life = std::max(found[index].life, life);
    return true;
  }

  std::vector<std::uintptr_t> in_file_;
  std::vector<name_level> levels_;
  std::vector<bool> open_;
  std::vector<std::size_t> asked_;
  std::vector<std::size_t> reading_;
};

}  // namespace gmr::symbolize
