// The tree of values that a section of a report is made of.
#pragma once

#include "gmr/detail/language.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace gmr {

class value;

// Text that keeps its line breaks: a configuration file, a stack trace.
struct text {
  std::string content;
};

// Values in order, without names.
struct list {
  std::vector<value> items;
};

// Named values in the order they were added. Names are expected to be unique; the views do not
// check.
struct key_values {
  std::vector<std::pair<std::string, value>> entries;

  key_values& add(std::string name, value content) &;
  key_values&& add(std::string name, value content) &&;  // to be moved, not copied, from there
};

// Rows of equal width. JSON shows a row as an object keyed by column; a row that is too short is
// padded with nulls and what goes beyond the columns is left out.
struct table {
  std::vector<std::string> columns;
  std::vector<std::vector<value>> rows;
};

namespace detail {

// What becomes a std::string by itself, such as a path.
template <class Text>
concept textual = !std::is_pointer_v<std::decay_t<Text>> && !std::is_array_v<Text> &&
                  !std::convertible_to<const Text&, std::string_view> &&
                  std::convertible_to<const Text&, std::string>;

template <class Element>
concept byte = sizeof(Element) == 1 && !std::same_as<Element, bool>;

// A range that is no text, nor an array of bytes, which may be text in some encoding; and whose
// elements are not of its own type, as those of a path are.
template <class Range>
concept sequence = std::ranges::input_range<Range> && !std::convertible_to<Range, std::string> &&
                   !(std::is_array_v<Range> && byte<std::ranges::range_value_t<Range>>) &&
                   !std::convertible_to<Range, std::string_view> &&
                   !std::same_as<std::ranges::range_value_t<Range>, std::remove_cvref_t<Range>>;

// A range of pairs whose first is text: std::map<std::string, T> and the like.
template <class Range>
concept dictionary = sequence<Range> && requires(std::ranges::range_reference_t<Range> each) {
  { each.first } -> std::convertible_to<std::string_view>;
  each.second;
};

}  // namespace detail

// One node: null, a scalar, or one of the containers above. Plain data, owns all it holds; not
// synchronised: one thread at a time.
class value {
 public:
  using storage = std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double,
                               std::string, text, list, key_values, table>;

  value() = default;
  value(const value&) = default;
  value(value&&) = default;
  value& operator=(const value&) = default;
  value& operator=(value&&) = default;
  // A tree of any depth is destroyed with a few KiB of stack.
  ~value() {
    if (storage_.index() >= first_container) destroy_nested();
  }
  value(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)
  // Text; null for a null pointer.
  value(const char* content) {  // NOLINT(google-explicit-constructor)
    if (content != nullptr) storage_ = std::string(content);
  }
  value(const char8_t* content)  // NOLINT(google-explicit-constructor)
      : value(reinterpret_cast<const char*>(content)) {}
  value(std::string content)
      : storage_(std::move(content)) {}  // NOLINT(google-explicit-constructor)
  value(std::string_view content)
      : storage_(std::string(content)) {}  // NOLINT(google-explicit-constructor)
  template <detail::textual Text>
  value(const Text& content)
      : storage_(std::string(content)) {}                // NOLINT(google-explicit-constructor)
  value(text content) : storage_(std::move(content)) {}  // NOLINT(google-explicit-constructor)
  value(list content) : storage_(std::move(content)) {}  // NOLINT(google-explicit-constructor)
  value(key_values content)
      : storage_(std::move(content)) {}                   // NOLINT(google-explicit-constructor)
  value(table content) : storage_(std::move(content)) {}  // NOLINT(google-explicit-constructor)
  // A char is text of one character, and signed char and unsigned char are numbers. Characters of
  // other sizes are refused: show them as text.
  template <class Scalar>
    requires(std::integral<Scalar> || std::floating_point<Scalar>)
  value(Scalar content) {  // NOLINT(google-explicit-constructor)
    static_assert(!std::same_as<Scalar, wchar_t> && !std::same_as<Scalar, char8_t> &&
                      !std::same_as<Scalar, char16_t> && !std::same_as<Scalar, char32_t>,
                  "gmr::value: convert the character to text in UTF-8");
    if constexpr (std::same_as<Scalar, bool>) {
      storage_ = content;
    } else if constexpr (std::same_as<Scalar, char>) {
      storage_ = std::string(1, content);
    } else if constexpr (std::floating_point<Scalar>) {
      storage_ = static_cast<double>(content);
    } else if constexpr (std::signed_integral<Scalar>) {
      storage_ = static_cast<std::int64_t>(content);
    } else {
      storage_ = static_cast<std::uint64_t>(content);
    }
  }
  // Whatever a pointer points to has to be made a value: the pointer itself says nothing.
  template <class Pointer>
    requires std::is_pointer_v<std::remove_reference_t<Pointer>> &&
                 (!std::convertible_to<Pointer, const char*>) &&
                 (!std::convertible_to<Pointer, const char8_t*>)
  value(Pointer&& content) = delete;
  template <class T>
  value(std::optional<T> content) {  // NOLINT(google-explicit-constructor)
    if (content) *this = value(std::move(*content));
  }
  // A map whose keys are text becomes named values, in its order; any other range a list. Elements
  // are copied, and made values as if each was given by itself.
  template <class Range>
    requires detail::dictionary<const Range> ||
             (detail::sequence<const Range> &&
              std::constructible_from<value, std::ranges::range_value_t<const Range>>)
  value(const Range& content) {  // NOLINT(google-explicit-constructor)
    if constexpr (detail::dictionary<const Range>) {
      key_values named;
      for (const auto& each : content)
        named.add(std::string(std::string_view(each.first)), value(each.second));
      storage_ = std::move(named);
    } else {
      list items;
      for (auto&& each : content)
        items.items.emplace_back(std::ranges::range_value_t<const Range>(each));
      storage_ = std::move(items);
    }
  }

  [[nodiscard]] const storage& get() const noexcept { return storage_; }
  [[nodiscard]] storage& get() noexcept { return storage_; }
  [[nodiscard]] bool is_null() const noexcept {
    return std::holds_alternative<std::nullptr_t>(storage_);
  }

 private:
  static constexpr std::size_t first_container = 7;  // list, key_values, table
  static_assert(std::is_same_v<std::variant_alternative_t<first_container, storage>, list>);

  void destroy_nested() noexcept;

  storage storage_ = nullptr;
};

inline key_values& key_values::add(std::string name, value content) & {
  entries.emplace_back(std::move(name), std::move(content));
  return *this;
}

inline key_values&& key_values::add(std::string name, value content) && {
  return std::move(add(std::move(name), std::move(content)));
}

}  // namespace gmr
