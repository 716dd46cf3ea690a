// Members of JSON objects with the types that a report gives them. What is missing or null is
// empty: other versions have more or less. What has another type ends the reading.
#pragma once

#include <rapidjson/document.h>

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmr/read/read.hpp"

namespace gmr::reading {

using json = rapidjson::Value;

[[noreturn]] void refuse(std::string_view name, std::string_view needed);

// Null where it is missing or null.
[[nodiscard]] const json* member(const json& object, const char* name);

[[nodiscard]] std::string text_of(const json& content, std::string_view name);
[[nodiscard]] std::string text_at(const json& object, const char* name);
[[nodiscard]] bool flag_at(const json& object, const char* name);
// "0x7f00" as a number.
[[nodiscard]] std::optional<std::uint64_t> address_at(const json& object, const char* name);
[[nodiscard]] std::optional<double> seconds_at(const json& object, const char* name);
[[nodiscard]] std::span<const json> items_at(const json& object, const char* name);
[[nodiscard]] std::vector<std::string> texts_of(const json& content, std::string_view name);
[[nodiscard]] std::vector<std::string> texts_at(const json& object, const char* name);

template <std::integral Number>
[[nodiscard]] Number integer_of(const json& content, std::string_view name) {
  if (content.IsUint64() && std::in_range<Number>(content.GetUint64()))
    return static_cast<Number>(content.GetUint64());
  if (content.IsInt64() && std::in_range<Number>(content.GetInt64()))
    return static_cast<Number>(content.GetInt64());
  refuse(name, "a whole number in its bounds");
}

template <std::integral Number>
[[nodiscard]] std::optional<Number> number_at(const json& object, const char* name) {
  const json* const content = member(object, name);
  if (content == nullptr) return std::nullopt;
  return integer_of<Number>(*content, name);
}

template <std::integral Number>
[[nodiscard]] std::vector<Number> numbers_at(const json& object, const char* name) {
  std::vector<Number> out;
  for (const json& each : items_at(object, name))
    out.push_back(integer_of<Number>(each, name));
  return out;
}

}  // namespace gmr::reading
