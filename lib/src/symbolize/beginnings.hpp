// Whether a text begins like one of many.
#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>

namespace gmr::symbolize {

[[nodiscard]] inline bool starts_with_any(std::string_view text, auto const& beginnings) {
  return std::any_of(std::begin(beginnings), std::end(beginnings),
                     [&](std::string_view beginning) { return text.starts_with(beginning); });
}

}  // namespace gmr::symbolize
