#include "options/masked_values.hpp"

#include <string>
#include <type_traits>
#include <variant>

#include "text/masking.hpp"

namespace gmr::loading {
namespace {

constexpr int deepest_shown = 100;  // in a report of either form

void mask(std::string& shown) {
  if (texts::may_hold_url(shown)) shown = texts::mask_urls(shown);
}

void mask(value& content, int depth);

void mask_all(std::vector<value>& values, int depth) {
  for (value& each : values)
    mask(each, depth);
}

void mask(value& content, int depth) {
  if (depth > deepest_shown) return;
  const auto mask_content = [depth](auto& held) {
    using type = std::remove_cvref_t<decltype(held)>;
    if constexpr (std::is_same_v<type, std::string>) {
      mask(held);
    } else if constexpr (std::is_same_v<type, text>) {
      mask(held.content);
    } else if constexpr (std::is_same_v<type, list>) {
      mask_all(held.items, depth + 1);
    } else if constexpr (std::is_same_v<type, key_values>) {
      for (auto& [name, entry] : held.entries) {
        mask(name);
        mask(entry, depth + 1);
      }
    } else if constexpr (std::is_same_v<type, table>) {
      for (std::string& column : held.columns)
        mask(column);
      for (std::vector<value>& row : held.rows)
        mask_all(row, depth + 1);
    }
  };
  std::visit(mask_content, content.get());
}

}  // namespace

void mask_urls(value& content) {
  mask(content, 0);
}

}  // namespace gmr::loading
