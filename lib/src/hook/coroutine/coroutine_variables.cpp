// Built without sanitizers: frames are read while their program may go on with them.
#include "hook/coroutine/coroutine_variables.hpp"

#include <algorithm>

#include "hook/coroutine/coroutine_arena.hpp"
#include "hook/library_copies.hpp"

namespace gmr::trace {
namespace {

constexpr std::size_t most_callers = 100;
constexpr std::size_t most_bytes = 65536;  // of one frame

void copy_frame(const coroutine_node* node, std::vector<std::uintptr_t>& words) {
  const std::size_t bytes = std::min(all_coroutines.frame_bytes(node), most_bytes);
  const auto* const first = reinterpret_cast<const std::uintptr_t*>(node + 1);
  for (std::size_t i = 0; i < bytes / sizeof(std::uintptr_t); ++i)
    words.push_back(__atomic_load_n(first + i, __ATOMIC_RELAXED));
}

}  // namespace

bool own::copy_coroutine_variables(const void* innermost, std::uint64_t id,
                                   std::vector<std::uintptr_t>& words) {
  const std::size_t before = words.size();
  const auto* at = static_cast<const coroutine_node*>(innermost);
  if (!coroutine_slots.contains(at)) return false;
  const coroutine_entry* const entry = at->entry.load(std::memory_order_acquire);
  if (!coroutine_slots.contains(entry)) return false;
  const std::uint64_t state = entry->node.word.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < most_callers && coroutine_slots.contains(at); ++i) {
    copy_frame(at, words);
    if (at == &entry->node) break;
    at = at->caller.load(std::memory_order_acquire);
  }
  std::atomic_thread_fence(std::memory_order_acquire);
  if (coroutine_state::kind(state) == coroutine_state::suspended &&
      entry->id.load(std::memory_order_relaxed) == id &&
      entry->node.word.load(std::memory_order_relaxed) == state)
    return true;
  words.resize(before);
  return false;
}

}  // namespace gmr::trace
