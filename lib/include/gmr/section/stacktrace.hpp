// Boost.Stacktrace in a section.
#pragma once

#include "gmr/detail/language.hpp"

#include <boost/stacktrace/stacktrace.hpp>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <string>

#include "gmr/model/value.hpp"

namespace gmr {

namespace detail {

[[nodiscard]] inline std::string hexadecimal(const void* address) {
  char digits[2 * sizeof(std::uintptr_t)];
  const auto end = std::to_chars(std::begin(digits), std::end(digits),
                                 reinterpret_cast<std::uintptr_t>(address), 16);
  return "0x" + std::string(digits, end.ptr);
}

}  // namespace detail

// The frames of a boost::stacktrace::stacktrace, as a value for a section. Resolves names with the
// Boost.Stacktrace backend that the calling program links.
template <class Allocator>
[[nodiscard]] value to_value(const boost::stacktrace::basic_stacktrace<Allocator>& trace) {
  list frames;
  for (const boost::stacktrace::frame& entry : trace) {
    std::string line = entry.name();
    if (line.empty()) line = detail::hexadecimal(entry.address());
    if (const std::string file = entry.source_file(); !file.empty()) {
      line += " at " + file + ":" + std::to_string(entry.source_line());
    }
    frames.items.emplace_back(std::move(line));
  }
  return frames;
}

}  // namespace gmr
