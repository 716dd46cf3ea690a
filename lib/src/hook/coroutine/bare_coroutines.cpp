// Coroutines for the raw report; coroutine_scheduler.cpp lists them for all others and says how the
// reading goes together.
#include "hook/coroutine/bare_coroutines.hpp"

#include "gmr/detail/hook/coroutine_node.hpp"
#include "hook/bare_sources.hpp"
#include "hook/coroutine/coroutine_arena.hpp"

namespace gmr::trace {
namespace {

constexpr std::size_t most_steps = 1000;

void read_notes(const coroutine_entry& entry, bare_green_thread& out) noexcept {
  const green_thread_notes* const notes = coroutine_extra::of(entry).notes();
  if (notes == nullptr || !notes->read(out.id, out.texts)) out.texts = {};
}

void read_chain(const coroutine_entry& entry, const coroutine_node* at,
                bare_green_thread& out) noexcept {
  for (std::size_t steps = 0; at != &entry.node && coroutine_slots.contains(at); ++steps) {
    out.has_more_frames = steps == most_steps || out.location_count == out.locations.size();
    if (out.has_more_frames) return;
    if ((at->word.load(std::memory_order_acquire) & coroutine_internal) == 0) {
      const void* const location = at->location.load(std::memory_order_acquire);
      if (location != nullptr) out.locations[out.location_count++] = location;
    }
    at = at->caller.load(std::memory_order_acquire);
  }
}

// False when there is none, or it never holds still: then `running` is all that can be said.
bool read(const coroutine_entry& entry, bare_green_thread& out) noexcept {
  constexpr int attempts = 8;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    out = {};
    const std::uint64_t state = entry.node.word.load(std::memory_order_acquire);
    if (coroutine_state::kind(state) == coroutine_state::dead) return false;
    const coroutine_node* const top = entry.top.load(std::memory_order_acquire);
    out.id = entry.id.load(std::memory_order_acquire);
    out.kind = green_thread_kind::coroutine;
    const bool runs = coroutine_state::kind(state) == coroutine_state::running;
    out.state = runs ? green_thread_state::running : green_thread_state::suspended;
    out.thread = runs ? coroutine_state::thread(state) : 0;
    out.suspended_at = runs ? 0 : entry.since.load(std::memory_order_acquire);
    const void* const spawned = entry.node.location.load(std::memory_order_acquire);
    read_notes(entry, out);
    read_chain(entry, top, out);
    if (out.location_count == 0 && spawned != nullptr)
      out.locations[out.location_count++] = spawned;
    if (entry.node.word.load(std::memory_order_relaxed) == state &&
        entry.top.load(std::memory_order_relaxed) == top)
      return true;
  }
  out.state = green_thread_state::running;
  out.location_count = 0;
  return true;
}

// A place is a span and a slot in it.
bool next_coroutine(bare_place& at, bare_green_thread& out) noexcept {
  const auto spans = all_coroutines.spans();
  for (; at.part < spans.size(); at = {at.part + 1, 0}) {
    const entry_span& span = spans[at.part];
    const std::uint32_t used = span.used.load(std::memory_order_acquire);
    while (at.index < used) {
      const std::byte* const slot = span.first + at.index++ * span.slot_bytes;
      if (read(*reinterpret_cast<const coroutine_entry*>(slot), out)) return true;
    }
  }
  return false;
}

}  // namespace

void register_bare_coroutines() noexcept {
  static constexpr bare_source source{"Asio coroutines", next_coroutine};
  register_bare_source(source);
}

}  // namespace gmr::trace
