#include "unwind/known_paths.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "unwind/row.hpp"

namespace gmr::unwind {
namespace {

constexpr std::size_t most_paths = 1024;
constexpr std::size_t most_alike = 4;  // with the same program counter and size

// Only what a fiber's stack in one piece is: with its registers, and nothing else to be known.
bool is_ordinary(const capture::stack_snapshot& snapshot) noexcept {
  return !snapshot.full_registers && !snapshot.only_pc_and_sp && !snapshot.truncated &&
         snapshot.parts[1].bytes.empty() && snapshot.parts[0].address == snapshot.registers.sp();
}

// Stacks with the same frames have the same size, nearly always.
std::uint64_t key_of(const capture::stack_snapshot& snapshot) noexcept {
  return snapshot.registers.pc() << 20U ^ snapshot.parts[0].bytes.size();
}

std::optional<std::uintptr_t> word_at(const capture::stack_snapshot& snapshot,
                                      std::uintptr_t distance) noexcept {
  const auto bytes = snapshot.parts[0].bytes;
  std::uintptr_t value = 0;
  if (bytes.size() < sizeof value || distance > bytes.size() - sizeof value) return std::nullopt;
  std::memcpy(&value, bytes.data() + distance, sizeof value);
  return value;
}

}  // namespace

// Goes along a stack whose frames are known, and notes what they depend on.
class known_paths::learner final {
 public:
  learner(row_table& rows, const capture::stack_snapshot& snapshot) noexcept
      : rows_(rows), snapshot_(snapshot) {
    for (std::size_t i = 0; i < saved_.size(); ++i)
      saved_[i] = condition{preserved_registers[i], true, false,
                            snapshot.registers.values[preserved_registers[i]]};
  }

  // False when not all of it is as simple as that.
  bool learn(const std::vector<raw_frame>& frames) {
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const row& rules = rows_.find(frames[i].is_return ? frames[i].pc - 1 : frames[i].pc);
      const bool last = i + 1 == frames.size();
      if (rules.kind == row_kind::outermost) return last;
      if (rules.kind != row_kind::simple || rules.signal || !find_frame(rules)) return false;
      const std::uintptr_t slot = distance_of(rules.return_offset);
      const auto caller = word_at(snapshot_, slot);
      if (!caller) return false;
      found_.push_back({static_cast<std::uint32_t>(slot), false, false, *caller});
      if (*caller == 0 || last) return *caller == 0 && last;
      if (os::arch::without_signature(*caller) != frames[i + 1].pc) return false;
      remember_saved(rules);
      sp_ = cfa_;
    }
    return false;
  }

  [[nodiscard]] std::vector<condition> take() noexcept { return std::move(found_); }

 private:
  [[nodiscard]] std::uintptr_t distance_of(std::int32_t from_cfa) const noexcept {
    return cfa_ + static_cast<std::uintptr_t>(std::intptr_t{from_cfa});
  }

  bool find_frame(const row& rules) {
    std::uintptr_t base = sp_;
    if (rules.cfa_register != capture::sp_register) {
      const auto at =
          std::find(preserved_registers.begin(), preserved_registers.end(), rules.cfa_register);
      if (at == preserved_registers.end()) return false;
      std::optional<condition>& saved =
          saved_[static_cast<std::size_t>(at - preserved_registers.begin())];
      if (!saved) return false;
      if (!saved->is_relative) {
        saved->is_relative = true;
        saved->value -= snapshot_.registers.sp();
      }
      found_.push_back(*saved);
      base = saved->value;
    }
    cfa_ = base + static_cast<std::uintptr_t>(std::intptr_t{rules.cfa_offset});
    return cfa_ > sp_;
  }

  void remember_saved(const row& rules) {
    for (std::size_t i = 0; i < saved_.size(); ++i) {
      const std::int32_t offset = rules.saved[i];
      if (offset == row::same_value) continue;
      saved_[i].reset();
      if (offset == row::undefined) continue;
      const std::uintptr_t slot = distance_of(offset);
      if (const auto value = word_at(snapshot_, slot))
        saved_[i] = condition{static_cast<std::uint32_t>(slot), false, false, *value};
    }
  }

  row_table& rows_;
  const capture::stack_snapshot& snapshot_;
  std::uintptr_t sp_ = 0;  // both as distances from the stack pointer of the snapshot
  std::uintptr_t cfa_ = 0;
  std::array<std::optional<condition>, preserved_registers.size()> saved_;  // where they are now
  std::vector<condition> found_;
};

bool known_paths::holds(const condition& wanted, const capture::stack_snapshot& snapshot) {
  const auto value = wanted.is_register ? std::optional{snapshot.registers.values[wanted.distance]}
                                        : word_at(snapshot, wanted.distance);
  return value && *value - (wanted.is_relative ? snapshot.registers.sp() : 0) == wanted.value;
}

bool known_paths::find(const capture::stack_snapshot& snapshot,
                       std::vector<raw_frame>& frames) const {
  if (!is_ordinary(snapshot)) return false;
  const auto alike = paths_.find(key_of(snapshot));
  if (alike == paths_.end()) return false;
  for (const path& known : alike->second) {
    if (known.frames.front().pc != snapshot.registers.pc() ||
        !std::all_of(known.conditions.begin(), known.conditions.end(),
                     [&](const condition& each) { return holds(each, snapshot); }))
      continue;
    frames = known.frames;
    return true;
  }
  return false;
}

void known_paths::learn(row_table& rows, const capture::stack_snapshot& snapshot,
                        const std::vector<raw_frame>& frames) {
  if (count_ == most_paths || !is_ordinary(snapshot)) return;
  learner walk{rows, snapshot};
  if (!walk.learn(frames)) return;
  std::vector<path>& alike = paths_[key_of(snapshot)];
  if (alike.size() == most_alike) return;
  alike.push_back({walk.take(), frames});
  ++count_;
}

void known_paths::forget() noexcept {
  paths_.clear();
  count_ = 0;
}

}  // namespace gmr::unwind
