// The reserved range, cut into spans, cut into slots.
#include "hook/coroutine/coroutine_arena.hpp"

#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <bit>
#include <type_traits>
#include <utility>

// Present when the program is built with a leak checker, whatever this library was built with.
extern "C" [[gnu::weak]] void __lsan_register_root_region(const void* begin, std::size_t size);

namespace gmr::trace {

constinit coroutine_arena all_coroutines;
static_assert(std::is_trivially_destructible_v<coroutine_arena>);

namespace {

constexpr std::size_t largest_range = std::size_t{1} << 36;
constexpr std::size_t smallest_range = std::size_t{1} << 26;
constexpr std::size_t commit_step = std::size_t{1} << 22;
constexpr std::size_t least_span = std::size_t{1} << 18;
constexpr std::size_t most_spans = largest_range / least_span;

// What kind of slots, and of which class, in a byte.
constexpr unsigned class_bits = 7;
static_assert(slot_classes < 1U << class_bits);

std::size_t rounded_up(std::size_t size, std::size_t step) {
  return (size + step - 1) / step * step;
}

std::size_t part_of(const void* address) {
  return (reinterpret_cast<std::uintptr_t>(address) -
          coroutine_slots.begin.load(std::memory_order_relaxed)) /
         least_span;
}

// Addresses only; no memory is committed.
std::byte* reserve_addresses(std::size_t size, int protection) noexcept {
  void* const memory =
      ::mmap(nullptr, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory);
}

void follow_range(coroutine_range& other) noexcept {
  other.begin.store(coroutine_slots.begin.load(std::memory_order_relaxed),
                    std::memory_order_relaxed);
  other.size.store(coroutine_slots.size.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

// The largest range to try. Where the address space is limited (RLIMIT_AS) the rest is the
// program's.
std::size_t range_to_try() noexcept {
  constexpr rlim_t share = 8;
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur / share >= largest_range)
    return largest_range;
  return std::max(std::bit_floor(static_cast<std::size_t>(limit.rlim_cur / share)), smallest_range);
}

}  // namespace

void coroutine_arena::take(slot_kind kind, std::size_t slot_class, std::size_t wanted,
                           slot_list& to) noexcept {
  const std::lock_guard guard{mutex_};
  slot_list& stock = stock_[kind][slot_class];
  for (; wanted > 0 && stock.head != nullptr; --wanted)
    to.push(stock.pop());
  if (to.head == nullptr) carve(kind, slot_class, wanted, to);
}

void coroutine_arena::put(slot_kind kind, std::size_t slot_class, std::size_t count,
                          slot_list& from) noexcept {
  const std::lock_guard guard{mutex_};
  for (; count > 0 && from.head != nullptr; --count)
    stock_[kind][slot_class].push(from.pop());
}

// With more copies than there is room for, it is reserved at once.
void coroutine_arena::share_range(coroutine_range& other) noexcept {
  const std::lock_guard guard{mutex_};
  if (next_ == nullptr) {
    const auto place = std::ranges::find(shared_, nullptr);
    if (place != shared_.end())
      *place = &other;
    else
      static_cast<void>(reserve());
  }
  if (next_ != nullptr) follow_range(other);
}

void coroutine_arena::stop_sharing(const coroutine_range& other) noexcept {
  const std::lock_guard guard{mutex_};
  std::ranges::replace(shared_, const_cast<coroutine_range*>(&other), nullptr);
}

std::span<entry_span> coroutine_arena::spans() noexcept {
  const std::uint32_t count = span_count_.load(std::memory_order_acquire);
  return count == 0 ? std::span<entry_span>{} : std::span{spans_, count};
}

bool coroutine_arena::exhausted() const noexcept {
  return exhausted_.load(std::memory_order_relaxed);
}

std::size_t coroutine_arena::frame_bytes(const coroutine_node* node) const noexcept {
  const std::uint8_t found = kinds_[part_of(node)].load(std::memory_order_relaxed);
  const std::size_t slot_class = found & ((1U << class_bits) - 1);
  return slot_class == 0
             ? 0
             : slot_bytes(slot_class) - header_bytes(static_cast<slot_kind>(found >> class_bits));
}

void coroutine_arena::carve(slot_kind kind, std::size_t slot_class, std::size_t wanted,
                            slot_list& to) noexcept {
  const std::size_t bytes = slot_bytes(slot_class);
  open_span& open = open_[kind][slot_class];
  if (open.next == open.end && !open_new(kind, slot_class, open)) {
    exhausted_.store(true, std::memory_order_relaxed);
    return;
  }
  for (; wanted > 0 && open.next != open.end; --wanted, open.next += bytes) {
    std::byte* const node = open.next + header_bytes(kind) - sizeof(coroutine_node);
    to.push(reinterpret_cast<coroutine_node*>(node));
    if (open.listed != nullptr) open.listed->used.fetch_add(1, std::memory_order_release);
  }
}

bool coroutine_arena::open_new(slot_kind kind, std::size_t slot_class, open_span& open) noexcept {
  const std::size_t bytes = slot_bytes(slot_class);
  const std::size_t size = rounded_up(bytes, least_span);
  std::byte* const memory = commit(size);
  if (memory == nullptr) return false;
  const std::size_t first = part_of(memory);
  for (std::size_t part = first; part < first + size / least_span; ++part)
    kinds_[part].store(static_cast<std::uint8_t>(kind << class_bits | slot_class),
                       std::memory_order_relaxed);
  open = {memory, memory + size / bytes * bytes, nullptr};
  if (kind != entry_slots) return true;
  const std::uint32_t index = span_count_.load(std::memory_order_relaxed);
  open.listed = &spans_[index];
  open.listed->first = memory;
  open.listed->slot_bytes = bytes;
  span_count_.store(index + 1, std::memory_order_release);
  return true;
}

std::byte* coroutine_arena::commit(std::size_t size) noexcept {
  if (next_ == nullptr && !reserve()) return nullptr;
  if (size > static_cast<std::size_t>(end_ - next_)) return nullptr;
  if (next_ + size > committed_) {
    const auto missing = static_cast<std::size_t>(next_ + size - committed_);
    const std::size_t step =
        std::min(rounded_up(missing, commit_step), static_cast<std::size_t>(end_ - committed_));
    if (::mprotect(committed_, step, PROT_READ | PROT_WRITE) != 0) return nullptr;
    ::madvise(committed_, step, MADV_DODUMP);
    committed_ += step;
  }
  return std::exchange(next_, next_ + size);
}

bool coroutine_arena::reserve() noexcept {
  if (exhausted()) return false;
  constexpr std::size_t spans_bytes = most_spans * sizeof(entry_span);
  constexpr std::size_t table_bytes = spans_bytes + most_spans;
  std::byte* const table = reserve_addresses(table_bytes, PROT_READ | PROT_WRITE);
  if (table == nullptr) return false;
  std::size_t size = range_to_try();
  std::byte* range = reserve_addresses(size, PROT_NONE);
  while (range == nullptr && size > smallest_range)
    range = reserve_addresses(size /= 2, PROT_NONE);
  if (range == nullptr) {
    ::munmap(table, table_bytes);
    return false;
  }
  ::madvise(range, size, MADV_DONTDUMP);  // or core files made by debuggers have all of it
  spans_ = reinterpret_cast<entry_span*>(table);
  kinds_ = reinterpret_cast<std::atomic<std::uint8_t>*>(table + spans_bytes);
  next_ = committed_ = range;
  end_ = range + size;
  coroutine_slots.begin.store(reinterpret_cast<std::uintptr_t>(range), std::memory_order_relaxed);
  coroutine_slots.size.store(size, std::memory_order_relaxed);
  for (coroutine_range*& each : shared_)
    if (coroutine_range* const other = std::exchange(each, nullptr)) follow_range(*other);
  // What is owned by suspended frames alone is no leak.
  if (__lsan_register_root_region != nullptr) __lsan_register_root_region(range, size);
  return true;
}

}  // namespace gmr::trace
