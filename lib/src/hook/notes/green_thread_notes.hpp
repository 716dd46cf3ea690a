// What a green thread was named and labelled.
//
// Notes hang from the record of their green thread. Records are never unmapped and are read while
// their only writer, the green thread itself, may be changing them or ending: `sequence` is odd
// during a change and never set back, and `owner` says whose they are.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "gmr/trace/label.hpp"

namespace gmr::trace {

// Plain data: copied word by word.
struct green_thread_texts {
  struct label {
    std::uint8_t key_size;
    std::uint8_t text_size;
    char key[longest_label_key];
    char text[longest_label_text];

    [[nodiscard]] std::string_view key_text() const noexcept { return {key, key_size}; }
    [[nodiscard]] std::string_view said() const noexcept { return {text, text_size}; }
  };

  std::uint8_t name_size;
  char name[longest_name];
  std::array<label, most_labels> labels;
  std::uint64_t label_count;
  std::uint64_t long_running;

  [[nodiscard]] std::string_view name_text() const noexcept { return {name, name_size}; }
};

class green_thread_notes;
namespace own {
green_thread_notes* allocate_notes(std::uint64_t owner, std::uint64_t parent) noexcept;
void release_notes(green_thread_notes& notes) noexcept;
}  // namespace own

class alignas(64) green_thread_notes final {
 public:
  // The green thread's own copy, to be changed and given to `write`.
  [[nodiscard]] green_thread_texts own() const noexcept { return read_texts(); }
  void write(const green_thread_texts& texts) noexcept;
  // Whether that copy's label `key` is `text`, or is missing when `text` is empty.
  [[nodiscard]] bool has_label(std::string_view key, std::string_view text) const noexcept;

  // False when they are not those of `owner`, or change all the time.
  [[nodiscard]] bool read(std::uint64_t owner, green_thread_texts& texts) const noexcept;

  // Of the green thread that awaits the owner; 0: none.
  [[nodiscard]] std::uint64_t parent() const noexcept {
    return parent_.load(std::memory_order_relaxed);
  }

 private:
  friend green_thread_notes* own::allocate_notes(std::uint64_t, std::uint64_t) noexcept;
  friend void own::release_notes(green_thread_notes& notes) noexcept;
  friend class notes_pool;

  static constexpr std::size_t words = sizeof(green_thread_texts) / sizeof(std::uint64_t);
  static_assert(sizeof(green_thread_texts) % sizeof(std::uint64_t) == 0);

  [[nodiscard]] green_thread_texts read_texts() const noexcept;
  // The part of the texts that is at `offset` in them.
  template <typename Part>
  [[nodiscard]] Part read_part(std::size_t offset) const noexcept;

  std::atomic<std::uint32_t> sequence_;
  std::atomic<std::uint32_t> next_free_;
  std::uint32_t number_;  // its place in the pool, from 1
  std::atomic<std::uint64_t> owner_;
  std::atomic<std::uint64_t> parent_;
  std::array<std::atomic<std::uint64_t>, words> texts_;
};
static_assert(sizeof(green_thread_notes) <= 512);

// Empty notes for the green thread `owner`; null when there is no memory or there are too many.
[[nodiscard]] green_thread_notes* allocate_notes(std::uint64_t owner,
                                                 std::uint64_t parent) noexcept;
void release_notes(green_thread_notes& notes) noexcept;

// How often there were none.
[[nodiscard]] std::uint64_t refused_notes() noexcept;

}  // namespace gmr::trace
