// See green_thread_notes.hpp. The pool is like that of fiber records: chunks that stay mapped, and
// a Treiber stack of numbers with a tag against ABA.
#include "hook/notes/green_thread_notes.hpp"

#include <sys/mman.h>

#include <bit>
#include <cstddef>
#include <cstring>

namespace gmr::trace {

class notes_pool final {
 public:
  static green_thread_notes* take() noexcept {
    std::uint64_t head = free_.load(std::memory_order_acquire);
    while (static_cast<std::uint32_t>(head) != 0) {
      green_thread_notes* const notes = at(static_cast<std::uint32_t>(head) - 1);
      const std::uint64_t next =
          ((head >> 32) + 1) << 32 | notes->next_free_.load(std::memory_order_relaxed);
      if (free_.compare_exchange_weak(head, next, std::memory_order_acquire)) return notes;
    }
    return take_unused();
  }

  static void put(green_thread_notes& notes) noexcept {
    std::uint64_t head = free_.load(std::memory_order_relaxed);
    std::uint64_t wanted = 0;
    do {
      notes.next_free_.store(static_cast<std::uint32_t>(head), std::memory_order_relaxed);
      wanted = ((head >> 32) + 1) << 32 | notes.number_;
    } while (!free_.compare_exchange_weak(head, wanted, std::memory_order_release,
                                          std::memory_order_relaxed));
  }

 private:
  static constexpr std::uint32_t notes_a_chunk = 256;
  static constexpr std::uint32_t chunk_count = 4096;

  static green_thread_notes* at(std::uint32_t index) noexcept {
    return chunks_[index / notes_a_chunk].load(std::memory_order_acquire) + index % notes_a_chunk;
  }

  static green_thread_notes* take_unused() noexcept {
    std::uint32_t index = used_.load(std::memory_order_relaxed);
    do {
      if (index >= notes_a_chunk * chunk_count || !has_chunk(index / notes_a_chunk)) return nullptr;
    } while (!used_.compare_exchange_weak(index, index + 1, std::memory_order_acq_rel));
    green_thread_notes* const notes = at(index);
    notes->number_ = index + 1;
    return notes;
  }

  static bool has_chunk(std::uint32_t index) noexcept {
    green_thread_notes* chunk = chunks_[index].load(std::memory_order_acquire);
    if (chunk != nullptr) return true;
    constexpr std::size_t size = notes_a_chunk * sizeof(green_thread_notes);
    void* const mapping =
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) return false;
    if (!chunks_[index].compare_exchange_strong(chunk, static_cast<green_thread_notes*>(mapping)))
      munmap(mapping, size);
    return true;
  }

  static constinit std::atomic<green_thread_notes*> chunks_[chunk_count];
  static constinit std::atomic<std::uint32_t> used_;
  static constinit std::atomic<std::uint64_t> free_;  // tag << 32 | number
};

namespace {
constinit std::atomic<std::uint64_t> refused{0};
}  // namespace

constinit std::atomic<green_thread_notes*> notes_pool::chunks_[chunk_count]{};
constinit std::atomic<std::uint32_t> notes_pool::used_{0};
constinit std::atomic<std::uint64_t> notes_pool::free_{0};

green_thread_texts green_thread_notes::read_texts() const noexcept {
  std::array<std::uint64_t, words> copy;
  for (std::size_t i = 0; i < words; ++i)
    copy[i] = texts_[i].load(std::memory_order_acquire);
  return std::bit_cast<green_thread_texts>(copy);
}

template <typename Part>
Part green_thread_notes::read_part(std::size_t offset) const noexcept {
  constexpr std::size_t size = sizeof(std::uint64_t);
  static_assert(sizeof(Part) % size == 0);
  std::array<std::uint64_t, sizeof(Part) / size> copy;
  for (std::size_t i = 0; i < copy.size(); ++i)
    copy[i] = texts_[offset / size + i].load(std::memory_order_relaxed);
  return std::bit_cast<Part>(copy);
}

bool green_thread_notes::has_label(std::string_view key, std::string_view text) const noexcept {
  using label = green_thread_texts::label;
  constexpr std::size_t labels = offsetof(green_thread_texts, labels);
  static_assert(labels % sizeof(std::uint64_t) == 0);
  const auto count = read_part<std::uint64_t>(offsetof(green_thread_texts, label_count));
  for (std::size_t i = 0; i < count; ++i) {
    const auto at = read_part<label>(labels + i * sizeof(label));
    if (at.key_text() == key) return at.said() == text;
  }
  return text.empty();
}

// Released word by word: who sees one of them also sees that the sequence is odd.
void green_thread_notes::write(const green_thread_texts& texts) noexcept {
  const auto copy = std::bit_cast<std::array<std::uint64_t, words>>(texts);
  const std::uint32_t before = sequence_.load(std::memory_order_relaxed);
  sequence_.store(before + 1, std::memory_order_relaxed);
  for (std::size_t i = 0; i < words; ++i)
    texts_[i].store(copy[i], std::memory_order_release);
  sequence_.store(before + 2, std::memory_order_release);
}

bool green_thread_notes::read(std::uint64_t owner, green_thread_texts& texts) const noexcept {
  constexpr int attempts = 16;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const std::uint32_t seen = sequence_.load(std::memory_order_acquire);
    texts = read_texts();
    if (owner_.load(std::memory_order_acquire) != owner) return false;
    if (seen % 2 == 0 && sequence_.load(std::memory_order_relaxed) == seen) return true;
  }
  return false;
}

namespace own {

green_thread_notes* allocate_notes(std::uint64_t owner, std::uint64_t parent) noexcept {
  green_thread_notes* const notes = notes_pool::take();
  if (notes == nullptr) {
    refused.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
  }
  notes->parent_.store(parent, std::memory_order_relaxed);
  notes->write(green_thread_texts{});
  notes->owner_.store(owner, std::memory_order_release);
  return notes;
}

void release_notes(green_thread_notes& notes) noexcept {
  notes.owner_.store(0, std::memory_order_relaxed);  // ids begin with 1
  notes.write(green_thread_texts{});
  notes_pool::put(notes);
}

std::uint64_t refused_notes() noexcept {
  return refused.load(std::memory_order_relaxed);
}

}  // namespace own

}  // namespace gmr::trace
