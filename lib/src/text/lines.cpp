#include "text/lines.hpp"

#include <charconv>
#include <cstddef>
#include <system_error>

namespace gmr::texts {

std::string_view take_line(std::string_view& rest) {
  return take_until(rest, '\n');
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string_view take_until(std::string_view& rest, char mark) {
  const std::size_t end = rest.find(mark);
  const std::string_view taken = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return taken;
}

std::optional<std::uint64_t> number_in(std::string_view text) {
  text = trimmed(text);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} ? std::optional{number} : std::nullopt;
}

std::optional<std::uint64_t> named_number(std::string_view lines, std::string_view name) {
  while (!lines.empty()) {
    std::string_view line = take_line(lines);
    if (!line.starts_with(name)) continue;
    line.remove_prefix(name.size());
    if (line.starts_with(' ') || line.starts_with(':')) return number_in(line.substr(1));
  }
  return std::nullopt;
}

}  // namespace gmr::texts
