// The runtime's demangler within bounds. The library and its helper program have their own.
#pragma once

#include <cstddef>
#include <string>

#include "symbolize/names.hpp"

namespace gmr::symbolize {

inline constexpr std::size_t longest_name = 32 * 1024;

// What the runtime makes of a mangled name.
[[nodiscard]] demangle_result write_readable(const std::string& symbol, std::string& text);

}  // namespace gmr::symbolize
