#include "options/option_text.hpp"

#include <array>
#include <boost/optional.hpp>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <string>
#include <type_traits>

#include "text/masking.hpp"
#include "text/quantities.hpp"

namespace gmr::loading {
namespace {

// By way of its shortest text, or 0.1f would show as 0.10000000149.
template <class T>
double shortest(T content) {
  std::array<char, 128> buffer{};
  const auto end = std::to_chars(buffer.begin(), buffer.end(), content);
  double result = 0;
  std::from_chars(buffer.data(), end.ptr, result);
  return result;
}

template <class T>
value shown(const T& content) {
  if constexpr (std::is_same_v<T, char>) {
    return std::string(1, content);
  } else if constexpr (std::is_integral_v<T> || std::is_same_v<T, double>) {
    return content;
  } else if constexpr (std::is_floating_point_v<T>) {
    return shortest(content);
  } else {
    return texts::mask_urls(content);
  }
}

template <>
value shown(const std::filesystem::path& content) {
  return texts::mask_urls(content.string());
}

template <class Rep, class Period>
value shown(const std::chrono::duration<Rep, Period>& content) {
  const double seconds = std::chrono::duration<double>(content).count();
  return texts::significant(seconds, 15) + " s";
}

template <class T>
value shown(const std::vector<T>& content) {
  list items;
  for (const auto& item : content)
    items.items.push_back(shown(static_cast<T>(item)));
  return items;
}

template <class Optional>
value shown_optional(const Optional& content) {
  return content ? shown(*content) : value{};
}

// Tries one type, alone, in a vector and in the two kinds of optional.
template <class T>
bool try_as(const boost::any& content, std::optional<value>& result) {
  if (const auto* one = boost::any_cast<T>(&content)) {
    result = shown(*one);
  } else if (const auto* many = boost::any_cast<std::vector<T>>(&content)) {
    result = shown(*many);
  } else if (const auto* maybe = boost::any_cast<std::optional<T>>(&content)) {
    result = shown_optional(*maybe);
  } else if (const auto* maybe_boost = boost::any_cast<boost::optional<T>>(&content)) {
    result = shown_optional(*maybe_boost);
  }
  return result.has_value();
}

template <class... Types>
std::optional<value> try_all(const boost::any& content) {
  std::optional<value> result;
  (try_as<Types>(content, result) || ...);
  return result;
}

}  // namespace

std::optional<value> option_value(const boost::any& content) {
  using namespace std::chrono;
  return try_all<std::string, bool, int, unsigned, short, unsigned short, long, unsigned long,
                 long long, unsigned long long, signed char, unsigned char, char, double, float,
                 long double, std::filesystem::path, nanoseconds, microseconds, milliseconds,
                 seconds, minutes, hours, duration<double>, duration<double, std::milli>>(content);
}

}  // namespace gmr::loading
