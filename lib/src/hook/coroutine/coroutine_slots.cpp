// Allocation of coroutine frames: each thread keeps a few free slots of each common size, so that
// the hot path takes no lock.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>
#include <utility>

#include "hook/coroutine/coroutine_arena.hpp"
#include "hook/library_copies.hpp"
#include "hook/schedulers.hpp"
#include "os/fork.hpp"

// Present when the program is built with ASan, whatever this library was built with.
extern "C" {
[[gnu::weak]] void __asan_poison_memory_region(const volatile void* begin, std::size_t size);
[[gnu::weak]] void __asan_unpoison_memory_region(const volatile void* begin, std::size_t size);
}

namespace gmr::trace {

constinit thread_local std::uint32_t this_thread_id = 0;
constinit thread_local this_thread_coroutines this_thread_runs;
constinit std::atomic<clock_function> coroutine_clock{clock_gettime};

namespace {

constexpr std::size_t kept_classes = small_slot_classes + 4 * 3;  // up to 8 KiB
constexpr std::size_t large_slot = 65536;
constexpr std::uint64_t ids_at_once = 64;

// What one thread keeps.
struct thread_stock {
  std::array<std::array<slot_list, kept_classes>, slot_kinds> lists;
  std::uint64_t next_id = 0;
  std::uint64_t last_id = 0;
};

enum class stock_state : std::uint8_t { none, open, closed };
[[gnu::tls_model("initial-exec")]] constinit thread_local thread_stock* own_stock = nullptr;
[[gnu::tls_model("initial-exec")]] constinit thread_local stock_state own_state = stock_state::none;

// Gives everything back when the thread ends. Frames may still be freed after that.
struct stock_guard {
  ~stock_guard() {
    thread_stock* const stock = std::exchange(own_stock, nullptr);
    own_state = stock_state::closed;
    for (std::size_t kind = 0; kind < slot_kinds; ++kind)
      for (std::size_t c = 0; c < kept_classes; ++c)
        if (slot_list& list = stock->lists[kind][c]; list.count > 0)
          all_coroutines.put(static_cast<slot_kind>(kind), c, list.count, list);
    delete stock;
  }
};

// Null when the thread is about to end, or memory is short.
[[gnu::noinline]] thread_stock* open_stock() noexcept {
  if (own_state != stock_state::none) return nullptr;
  own_stock = new (std::nothrow) thread_stock;
  if (own_stock == nullptr) return nullptr;
  own_state = stock_state::open;
  [[maybe_unused]] static thread_local const stock_guard guard;
  return own_stock;
}

thread_stock* stock() noexcept {
  thread_stock* const own = own_stock;
  return own != nullptr ? own : open_stock();
}

// How many slots of a class go between a thread and the common stock at once.
constexpr auto batches = [] {
  std::array<std::size_t, kept_classes> counts{};
  for (std::size_t c = 1; c < kept_classes; ++c)
    counts[c] = std::clamp<std::size_t>(16384 / slot_bytes(c), 1, 64);
  return counts;
}();

[[gnu::noinline]] coroutine_node* take_common(slot_kind kind, std::size_t slot_class,
                                              slot_list* own) noexcept {
  slot_list single;
  slot_list& to = own != nullptr ? *own : single;
  all_coroutines.take(kind, slot_class, own != nullptr ? batches[slot_class] : 1, to);
  return to.pop();
}

[[gnu::noinline]] void put_common(slot_kind kind, std::size_t slot_class, slot_list& list,
                                  std::size_t count) noexcept {
  all_coroutines.put(kind, slot_class, count, list);
}

// Large slots wait for their next use without their memory.
void release_pages(void* frame, slot_kind kind, std::size_t slot_class) noexcept {
  constexpr std::uintptr_t page = 4096;
  const auto begin = reinterpret_cast<std::uintptr_t>(frame);
  const std::uintptr_t end = begin + slot_bytes(slot_class) - header_bytes(kind);
  const std::uintptr_t first = (begin + page - 1) / page * page;
  ::madvise(reinterpret_cast<void*>(first), end / page * page - first, MADV_DONTNEED);
}

void set_poison(void* frame, slot_kind kind, std::size_t slot_class, bool poison) noexcept {
  const auto set = poison ? __asan_poison_memory_region : __asan_unpoison_memory_region;
  if (set != nullptr) [[unlikely]]
    set(frame, slot_bytes(slot_class) - header_bytes(kind));
}

// A frame outside of the range: it works, but is not listed.
[[gnu::noinline]] coroutine_node* take_unlisted(slot_kind kind, std::size_t bytes) {
  void* const memory = std::calloc(1, bytes);
  if (memory == nullptr) throw std::bad_alloc{};
  return reinterpret_cast<coroutine_node*>(static_cast<std::byte*>(memory) + header_bytes(kind)) -
         1;
}

// On the hot path, as all that is a template by the kind below: it is folded for each.
template <slot_kind kind>
[[gnu::always_inline]] inline std::size_t class_for(std::size_t frame_bytes) noexcept {
  const std::size_t bytes = frame_bytes + header_bytes(kind);
  // Entries are aligned to cache lines: 64 bytes are all that a suspension writes.
  return slot_class_of(kind == entry_slots ? (bytes + 63) / 64 * 64 : bytes);
}

template <slot_kind kind>
coroutine_node* take(std::size_t frame_bytes, thread_stock* own) {
  const std::size_t slot_class =
      frame_bytes < largest_slot ? class_for<kind>(frame_bytes) : slot_classes;
  coroutine_node* node = nullptr;
  if (slot_class < kept_classes && own != nullptr) {
    slot_list& list = own->lists[kind][slot_class];
    node = list.pop();
    if (node == nullptr) node = take_common(kind, slot_class, &list);
  } else if (slot_class < slot_classes) {
    node = take_common(kind, slot_class, nullptr);
  }
  if (node == nullptr) [[unlikely]]
    return take_unlisted(kind, frame_bytes + header_bytes(kind));
  set_poison(node + 1, kind, slot_class, false);
  return node;
}

template <slot_kind kind>
void give_back(void* frame, std::size_t frame_bytes) noexcept {
  if (!coroutine_slots.contains(frame)) [[unlikely]]
    return std::free(static_cast<std::byte*>(frame) - header_bytes(kind));
  const std::size_t slot_class = class_for<kind>(frame_bytes);
  coroutine_node* const node = &coroutine_node_of(frame);
  set_poison(frame, kind, slot_class, true);
  if (thread_stock* const own = stock(); slot_class < kept_classes && own != nullptr) {
    slot_list& list = own->lists[kind][slot_class];
    list.push(node);
    const std::size_t batch = batches[slot_class];
    if (list.count > 2 * batch) put_common(kind, slot_class, list, batch);
  } else {
    if (slot_bytes(slot_class) >= large_slot) release_pages(frame, kind, slot_class);
    slot_list single;
    single.push(node);
    put_common(kind, slot_class, single, 1);
  }
}

// Stands in for the entry of chains that there was no memory to list; never read.
constinit coroutine_entry unlisted{};

std::uint64_t take_id(thread_stock* own) noexcept {
  if (own == nullptr) return reserve_green_thread_ids(1);
  if (own->next_id == own->last_id) {
    own->next_id = reserve_green_thread_ids(ids_at_once);
    own->last_id = own->next_id + ids_at_once;
  }
  return own->next_id++;
}

void reset(coroutine_node& node) noexcept {
  node.location.store(nullptr, std::memory_order_release);
  node.caller.store(nullptr, std::memory_order_release);
  node.entry.store(nullptr, std::memory_order_relaxed);
}

// A forked child has one thread, with a new id.
constexpr os::fork_actions frames_when_forked{
    .before = []() noexcept { all_coroutines.lock(); },
    .in_parent = []() noexcept { all_coroutines.unlock(); },
    .in_child =
        []() noexcept {
          all_coroutines.unlock();
          this_thread_id = 0;
        },
};
const bool frames_know_of_forks = os::on_fork(os::fork_place::coroutine_frames, frames_when_forked);

}  // namespace

std::uint32_t find_this_thread_id() noexcept {
  return this_thread_id = static_cast<std::uint32_t>(::gettid());
}

namespace own {

void* allocate_coroutine_frame(std::size_t size) {
  coroutine_node* const node = take<frame_slots>(size, stock());
  reset(*node);
  node->word.store(0, std::memory_order_release);
  return node + 1;
}

void free_coroutine_frame(void* frame, std::size_t size) noexcept {
  give_back<frame_slots>(frame, size);
}

void* allocate_coroutine_entry(std::size_t size) {
  thread_stock* const own = stock();
  coroutine_node* const node = take<entry_slots>(size, own);
  reset(*node);  // not the state: it goes on counting
  coroutine_entry& entry = coroutine_entry_of(*node);
  entry.top.store(nullptr, std::memory_order_release);
  entry.operation.store(nullptr, std::memory_order_release);
  entry.since.store(0, std::memory_order_release);
  entry.id.store(take_id(own), std::memory_order_release);
  return node + 1;
}

void free_coroutine_entry(void* frame, std::size_t size) noexcept {
  give_back<entry_slots>(frame, size);
}

void share_coroutine_range(coroutine_range& other) noexcept {
  all_coroutines.share_range(other);
}

void stop_sharing_coroutine_range(const coroutine_range& other) noexcept {
  all_coroutines.stop_sharing(other);
}

this_thread_coroutines& coroutines_of_this_thread() noexcept {
  return this_thread_runs;
}

}  // namespace own

void adopt_coroutine(coroutine_node& node) noexcept try {
  coroutine_node& bottom = coroutine_node_of(allocate_coroutine_entry(0));
  bottom.location.store(node.location.load(std::memory_order_relaxed), std::memory_order_release);
  node.word.store(coroutine_owns_entry, std::memory_order_release);
  node.entry.store(&coroutine_entry_of(bottom), std::memory_order_relaxed);
  coroutine_born(bottom);
} catch (const std::bad_alloc&) {
  node.entry.store(&unlisted, std::memory_order_relaxed);
}

void release_adopted_coroutine(coroutine_node& node) noexcept {
  coroutine_entry* const entry = node.entry.load(std::memory_order_relaxed);
  // What it awaits may live on, without an entry then.
  constexpr int longest_chain = 1000;
  coroutine_node* at = entry->top.load(std::memory_order_relaxed);
  for (int i = 0; i < longest_chain && at != &node && at != &entry->node; ++i) {
    if (!coroutine_slots.contains(at)) break;
    at->entry.store(&unlisted, std::memory_order_relaxed);
    at = at->caller.load(std::memory_order_relaxed);
  }
  coroutine_died(entry->node);
  free_coroutine_entry(&entry->node + 1, 0);
}

}  // namespace gmr::trace
