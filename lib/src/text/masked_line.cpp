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
  while (end > 0 && text[end - 1] == '\\')  // "\"token\":", a JSON text within one
    --end;
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

// Where the quoted text that begins at `from` ends: at its quote, or with the line. Its quotes have
// `level` backslashes: 1 in a JSON text within one, 3 a level deeper. There each backslash of the
// text itself is a pair of `level` + 1, and a quote within it has one of these before its own.
std::size_t quoted_end(std::string_view text, std::size_t from, char quote, std::size_t level) {
  std::size_t backslashes = 0;
  for (std::size_t at = from; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++backslashes;
      continue;
    }
    if (text[at] == quote && backslashes % (2 * level + 2) <= level)
      return at - std::min(backslashes, level);
    backslashes = 0;
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
    const std::size_t quote = std::min(text.find_first_not_of('\\', begin), text.size());
    if (quote < text.size() && quotes.find(text[quote]) != std::string_view::npos) {
      end = quoted_end(text, quote + 1, text[quote], quote - begin);
      begin = quote + 1;
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
