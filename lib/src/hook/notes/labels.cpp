// The calling green thread's notes: found, made when missing, changed.
#include "gmr/trace/label.hpp"

#include <algorithm>
#include <cstring>
#include <functional>

#include "gmr/detail/hook/coroutine_node.hpp"
#include "hook/library_copies.hpp"
#include "hook/notes/green_thread_notes.hpp"
#include "hook/threads/thread_registry.hpp"

namespace gmr {
namespace trace {
namespace {

// The fiber that this thread runs; null when it runs none.
fiber_record* running_fiber() noexcept {
  thread_slot* const slot = slot_of_this_thread();
  if (slot == nullptr) return nullptr;
  fiber_record* const current = slot->current.load(std::memory_order_relaxed);
  const bool listed = current != nullptr && current != &slot->own &&
                      current->state.load(std::memory_order_relaxed) != fiber_state::unlisted;
  return listed ? current : nullptr;
}

std::uint32_t own_thread_id() noexcept {
  return this_thread_id != 0 ? this_thread_id : find_this_thread_id();
}

// The coroutine that this thread runs, by what one copy of the library knows; null when it runs
// none, or that can't be told.
coroutine_entry* running_coroutine(const this_thread_coroutines& known) noexcept {
  coroutine_entry* const entry = known.latest;
  // One that there was no memory to list may be gone by now.
  if (entry == nullptr || !coroutine_slots.contains(entry)) return nullptr;
  const std::uint64_t state = entry->node.word.load(std::memory_order_relaxed);
  const bool runs = coroutine_state::kind(state) == coroutine_state::running &&
                    coroutine_state::thread(state) == static_cast<pid_t>(own_thread_id());
  return runs ? entry : nullptr;
}

// By this copy and the one that serves: when both know one, it is the one further down the stack
// that runs inside the other.
const this_thread_coroutines& innermost_coroutine() noexcept {
  const this_thread_coroutines& ours = this_thread_runs;
  if (this_copy_serves()) return ours;
  const this_thread_coroutines& theirs = serving_copy().functions->coroutines_of_this_thread();
  if (running_coroutine(theirs) == nullptr) return ours;
  if (running_coroutine(ours) == nullptr) return theirs;
  return std::less{}(ours.stack, theirs.stack) ? ours : theirs;
}

// A fiber may run coroutines, and a coroutine may resume a fiber: which of them is inside the other
// is told by the stack that the coroutine runs on.
bool runs_on(const fiber_record& fiber, const void* stack) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(stack);
  return address >= fiber.low.load(std::memory_order_relaxed) &&
         address < fiber.high.load(std::memory_order_relaxed);
}

green_thread_notes* notes_of(fiber_record& fiber) noexcept {
  green_thread_notes* notes = fiber.notes.load(std::memory_order_relaxed);
  if (notes != nullptr) return notes;
  notes = allocate_notes(fiber.id.load(std::memory_order_relaxed), 0);
  fiber.notes.store(notes, std::memory_order_release);
  return notes;
}

green_thread_notes* notes_of(coroutine_entry& entry) noexcept {
  const coroutine_extra extra = coroutine_extra::of(entry);
  if (green_thread_notes* const notes = extra.notes()) return notes;
  green_thread_notes* const made =
      allocate_notes(entry.id.load(std::memory_order_relaxed), extra.parent());
  if (made != nullptr) coroutine_extra::with(made).store(entry);
  return made;
}

green_thread_notes* own_notes() noexcept {
  fiber_record* const fiber = running_fiber();
  const this_thread_coroutines& known = innermost_coroutine();
  coroutine_entry* const coroutine = running_coroutine(known);
  if (coroutine != nullptr && (fiber == nullptr || runs_on(*fiber, known.stack)))
    return notes_of(*coroutine);
  return fiber == nullptr ? nullptr : notes_of(*fiber);
}

template <typename Change>
bool change(green_thread_notes& notes, Change changed) noexcept {
  green_thread_texts texts = notes.own();
  if (!changed(texts)) return false;
  notes.write(texts);
  return true;
}

template <typename Change>
bool change_notes(Change changed) noexcept {
  green_thread_notes* const notes = own_notes();
  return notes != nullptr && change(*notes, changed);
}

// The size of what fits, without a part of a UTF-8 sequence at its end.
std::size_t fitting(std::string_view text, std::size_t room) noexcept {
  if (text.size() <= room) return text.size();
  constexpr unsigned continuation_mask = 0xC0;
  constexpr unsigned continuation = 0x80;
  std::size_t size = room;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & continuation_mask) == continuation)
    --size;
  return size;
}

std::string_view fit(std::string_view text, std::size_t room) noexcept {
  return text.substr(0, fitting(text, room));
}

// `text` fits.
void copy_text(std::string_view text, char* to, std::uint8_t& size) noexcept {
  size = static_cast<std::uint8_t>(text.size());
  if (size != 0) std::memcpy(to, text.data(), size);
}

// `key` and `text` fit.
bool change_label(green_thread_texts& texts, std::string_view key, std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < texts.label_count && texts.labels[at].key_text() != key)
    ++at;
  if (text.empty()) {
    if (at == texts.label_count) return true;
    const auto first = texts.labels.begin();
    std::move(first + at + 1, first + texts.label_count, first + at);
    --texts.label_count;
    return true;
  }
  if (at == most_labels) return false;
  green_thread_texts::label& label = texts.labels[at];
  copy_text(key, label.key, label.key_size);
  copy_text(text, label.text, label.text_size);
  texts.label_count = std::max<std::uint64_t>(texts.label_count, at + 1);
  return true;
}

}  // namespace
}  // namespace trace

bool set_name(std::string_view name) noexcept {
  return trace::change_notes([&](trace::green_thread_texts& texts) {
    trace::copy_text(trace::fit(name, longest_name), texts.name, texts.name_size);
    return true;
  });
}

// Servers set the same label for each request: that costs no change.
bool set_label(std::string_view key, std::string_view text) noexcept {
  trace::green_thread_notes* const notes = trace::own_notes();
  if (notes == nullptr) return false;
  key = trace::fit(key, longest_label_key);
  text = trace::fit(text, longest_label_text);
  return notes->has_label(key, text) ||
         trace::change(*notes, [&](trace::green_thread_texts& texts) {
           return trace::change_label(texts, key, text);
         });
}

bool long_running(bool expected) noexcept {
  return trace::change_notes([&](trace::green_thread_texts& texts) {
    texts.long_running = expected ? 1 : 0;
    return true;
  });
}

}  // namespace gmr
