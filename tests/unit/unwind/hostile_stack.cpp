#include "hostile_stack.hpp"

#include <cstdlib>
#include <cstring>

#include "capture/snapshot.hpp"
#include "os/modules.hpp"

namespace gmr::test {
namespace {

// Nothing is mapped there: a read outside the copy would not go unnoticed.
constexpr std::uintptr_t stack_address = 0x10000;
constexpr std::size_t largest_stack = 65536;

void check(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

hostile_stack::hostile_stack() {
  const os::shared_modules modules = os::read_modules();
  for (const auto& loaded : modules->loaded()) {
    for (const auto& segment : loaded->segments) {
      if (!segment.executable) continue;
      code_.push_back(loaded->base + segment.address);
      code_size_.push_back(segment.memory_size);
    }
  }
}

// The first byte decides what the other seven mean.
std::uintptr_t hostile_stack::word(std::span<const std::uint8_t> eight) const {
  std::uintptr_t value = 0;
  std::memcpy(&value, eight.data(), sizeof value);
  const auto kind = eight[0] & 3U;
  const std::uintptr_t content = value >> 8U;
  if (kind == 1) {
    const std::size_t segment = (eight[0] >> 2U) % code_.size();
    return code_[segment] + content % code_size_[segment];
  }
  if (kind == 2) return stack_address + (content % largest_stack & ~std::uintptr_t{7});
  return kind == 3 ? content % 64 : value;
}

void hostile_stack::unwind(std::span<const std::uint8_t> input) {
  if (input.size() < 2) return;
  const std::uint8_t flags = input[0];
  const std::size_t cut = input[1];
  input = input.subspan(2);
  capture::stack_snapshot snapshot;
  for (std::uintptr_t& value : snapshot.registers.values) {
    if (input.size() < sizeof value) break;
    value = word(input.first(sizeof value));
    input = input.subspan(sizeof value);
  }
  if ((flags & 1U) != 0) snapshot.registers.values[capture::sp_register] = stack_address;
  snapshot.full_registers = (flags & 2U) == 0;
  snapshot.only_pc_and_sp = (flags & 18U) == 18;
  snapshot.truncated = (flags & 4U) != 0;
  memory_.clear();
  while (input.size() >= 8 && memory_.size() < largest_stack) {
    const std::uintptr_t value = word(input.first(8));
    const auto* const bytes = reinterpret_cast<const std::byte*>(&value);
    memory_.insert(memory_.end(), bytes, bytes + sizeof value);
    input = input.subspan(8);
  }
  const std::span<const std::byte> all{memory_};
  const std::size_t first = all.size() * cut / 255;
  const std::size_t gap = (flags & 8U) != 0 ? (all.size() - first) / 2 : all.size() - first;
  snapshot.parts[0] = {stack_address, all.first(first)};
  snapshot.parts[1] = {stack_address + first + gap, all.subspan(first + gap)};
  unwinder_.unwind(snapshot, result_);
  check(result_.frames.size() < 40000);
  check(result_.truncated || result_.note.empty() || result_.frames.empty() || !result_.exact);
  check(!result_.truncated || !result_.note.empty());
}

}  // namespace gmr::test
