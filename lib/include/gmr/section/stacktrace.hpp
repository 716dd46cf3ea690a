// Boost.Stacktrace in a section.
#pragma once

#include <boost/stacktrace/stacktrace.hpp>
#include <string>

#include "gmr/model/value.hpp"

namespace gmr {

// The frames of a boost::stacktrace::stacktrace, as a value for a section. Resolves names with the
// Boost.Stacktrace backend that the calling program links.
template <class Allocator>
[[nodiscard]] value to_value(const boost::stacktrace::basic_stacktrace<Allocator>& trace) {
  list frames;
  for (const boost::stacktrace::frame& entry : trace) {
    std::string line = entry.name();
    if (line.empty())
      line = "0x" + std::to_string(reinterpret_cast<std::uintptr_t>(entry.address()));
    if (const std::string file = entry.source_file(); !file.empty()) {
      line += " at " + file + ":" + std::to_string(entry.source_line());
    }
    frames.items.emplace_back(std::move(line));
  }
  return frames;
}

}  // namespace gmr
