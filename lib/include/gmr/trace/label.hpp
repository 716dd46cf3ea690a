// Names and labels of green threads, which reports show with them.
//
// Each call is about the fiber or coroutine that makes it: in a coroutine anywhere between two
// co_awaits, in a fiber anywhere. What is set stays until it is changed or the green thread ends. A
// green thread of a foreign scheduler is named by its scheduler (gmr/trace/scheduler.hpp).
//
//   gmr::set_name("session 10.0.0.7:4711");
//   gmr::set_label("request", request.id());
//
// All calls return false, and do nothing, when the caller is no green thread that is traced, when
// it is a coroutine that has run another coroutine inside itself since it was resumed, or when
// there is no room: `most_labels` each, 1048576 green threads with a name or label at a time. They
// take no lock and cost some tens of nanoseconds; the first one of a green thread may take memory,
// which is reused and never given back. Texts are copied, and cut where they are too long. Safe to
// call from any thread; not async-signal-safe. Reports mask what they mask in options:
// passwords in URLs and parameters of URLs with secret names. Put no other secret there.
#pragma once

#include "gmr/detail/language.hpp"

#include <charconv>
#include <concepts>
#include <cstddef>
#include <string_view>

namespace gmr {

inline constexpr std::size_t most_labels = 5;
inline constexpr std::size_t longest_name = 63;        // bytes
inline constexpr std::size_t longest_label_key = 22;   // bytes
inline constexpr std::size_t longest_label_text = 56;  // bytes

// An empty name takes the name away.
bool set_name(std::string_view name) noexcept;

// Sets the label `key` or changes it. An empty text takes it away.
bool set_label(std::string_view key, std::string_view text) noexcept;

template <std::integral Number>
  requires(!std::same_as<Number, bool>)
bool set_label(std::string_view key, Number number) noexcept {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  return set_label(key, std::string_view{digits, static_cast<std::size_t>(end - digits)});
}

// A long wait is what the caller is for: an accept loop, a ticker. It is no finding then.
bool long_running(bool expected = true) noexcept;

}  // namespace gmr
