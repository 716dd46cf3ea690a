// Secrets in a line of a log.
#include <algorithm>
#include <cstddef>

#include "text/masking.hpp"

namespace gmr::texts {
namespace {

constexpr std::string_view quotes = "\"'";
constexpr std::string_view blanks = " \t";

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

// The name that ends before `mark`: token=, token =, "token":
std::string_view name_before(std::string_view text, std::size_t mark) {
  const std::size_t last = text.substr(0, mark).find_last_not_of(blanks);
  if (last == std::string_view::npos) return {};
  std::size_t end = last + 1;
  if (quotes.find(text[last]) != std::string_view::npos) end = last;
  if (end > 0 && text[end - 1] == '\\') --end;  // "\"token\":", a JSON text within one
  std::size_t begin = end;
  while (begin > 0 && is_name(text[begin - 1]))
    --begin;
  return text.substr(begin, end - begin);
}

// Fields of HTTP whose values are several words: "Authorization: Bearer TOKEN", "Cookie: a=b; c=d".
bool has_words(std::string_view name) {
  const auto ends_in = [&](std::string_view field) {
    return name.size() >= field.size() &&
           std::ranges::equal(name.substr(name.size() - field.size()), field, {}, [](char c) {
             return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
           });
  };
  return ends_in("authorization") || ends_in("cookie");
}

// Where the quoted text that begins at `from` ends: at its quote, or with the line.
std::size_t quoted_end(std::string_view text, std::size_t from, char quote) {
  for (std::size_t at = from; at < text.size(); ++at) {
    if (text[at] == '\\')
      ++at;
    else if (text[at] == quote)
      return at;
  }
  return text.size();
}

std::size_t value_end(std::string_view text, std::size_t from, std::string_view name) {
  const std::string_view ends = has_words(name) ? "\"'" : " \t\r\n,;&\"'}])";
  return std::min(text.find_first_of(ends, from), text.size());
}

}  // namespace

std::string mask_line(std::string_view text) {
  std::string found;
  std::size_t done = 0;
  for (std::size_t mark = text.find_first_of("=:"); mark != std::string_view::npos;
       mark = text.find_first_of("=:", std::max(mark + 1, done))) {
    const std::string_view name = name_before(text, mark);
    if (name.empty() || !is_secret_name(name)) continue;
    std::size_t begin = std::min(text.find_first_not_of(blanks, mark + 1), text.size());
    std::size_t end = 0;
    if (begin < text.size() && quotes.find(text[begin]) != std::string_view::npos) {
      end = quoted_end(text, begin + 1, text[begin]);
      ++begin;
    } else {
      end = value_end(text, begin, name);
    }
    if (begin >= end) continue;
    found.append(text.substr(done, begin - done)).append(masked);
    done = end;
  }
  found.append(text.substr(done));
  return may_hold_url(found) ? mask_urls(found) : found;
}

}  // namespace gmr::texts
