// The tree of values that a section of a report is made of.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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

  key_values& add(std::string name, value content);
};

// Rows of equal width. JSON shows a row as an object keyed by column; a row that is too short is
// padded with nulls and what goes beyond the columns is left out.
struct table {
  std::vector<std::string> columns;
  std::vector<std::vector<value>> rows;
};

// One node: null, a scalar, or one of the containers above. Plain data, owns all it holds; not
// synchronised: one thread at a time.
class value {
 public:
  using storage = std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double,
                               std::string, text, list, key_values, table>;

  value() = default;
  value(std::nullptr_t) {}                      // NOLINT(google-explicit-constructor)
  value(bool content) : storage_(content) {}    // NOLINT(google-explicit-constructor)
  value(double content) : storage_(content) {}  // NOLINT(google-explicit-constructor)
  value(const char* content)
      : storage_(std::string(content)) {}  // NOLINT(google-explicit-constructor)
  value(std::string content)
      : storage_(std::move(content)) {}  // NOLINT(google-explicit-constructor)
  value(std::string_view content)
      : storage_(std::string(content)) {}                // NOLINT(google-explicit-constructor)
  value(text content) : storage_(std::move(content)) {}  // NOLINT(google-explicit-constructor)
  value(list content) : storage_(std::move(content)) {}  // NOLINT(google-explicit-constructor)
  value(key_values content)
      : storage_(std::move(content)) {}                   // NOLINT(google-explicit-constructor)
  value(table content) : storage_(std::move(content)) {}  // NOLINT(google-explicit-constructor)
  template <std::integral Integer>
    requires(!std::same_as<Integer, bool>)
  value(Integer content) {  // NOLINT(google-explicit-constructor)
    if constexpr (std::signed_integral<Integer>) {
      storage_ = static_cast<std::int64_t>(content);
    } else {
      storage_ = static_cast<std::uint64_t>(content);
    }
  }
  template <class T>
  value(std::optional<T> content) {  // NOLINT(google-explicit-constructor)
    if (content) *this = value(std::move(*content));
  }

  [[nodiscard]] const storage& get() const noexcept { return storage_; }
  [[nodiscard]] bool is_null() const noexcept {
    return std::holds_alternative<std::nullptr_t>(storage_);
  }

 private:
  storage storage_ = nullptr;
};

inline key_values& key_values::add(std::string name, value content) {
  entries.emplace_back(std::move(name), std::move(content));
  return *this;
}

}  // namespace gmr
