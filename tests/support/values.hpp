// Looks into value trees.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "gmr/model/value.hpp"

namespace values {

// The value at a path of names of nested key_values.
template <class... Names>
const gmr::value& at(const gmr::value& tree, std::string_view name, const Names&... names) {
  for (const auto& [key, content] : std::get<gmr::key_values>(tree.get()).entries) {
    if (key != name) continue;
    if constexpr (sizeof...(Names) == 0) {
      return content;
    } else {
      return at(content, names...);
    }
  }
  throw std::runtime_error("no " + std::string{name});
}

inline bool has(const gmr::value& tree, std::string_view name) {
  for (const auto& entry : std::get<gmr::key_values>(tree.get()).entries)
    if (entry.first == name) return true;
  return false;
}

inline std::string text(const gmr::value& content) {
  return std::get<std::string>(content.get());
}

inline std::uint64_t number(const gmr::value& content) {
  if (const auto* number = std::get_if<std::int64_t>(&content.get()))
    return static_cast<std::uint64_t>(*number);
  return std::get<std::uint64_t>(content.get());
}

inline const std::vector<gmr::value>& items(const gmr::value& content) {
  return std::get<gmr::list>(content.get()).items;
}

}  // namespace values
