// Hides secrets. Where a URL ends and begins in running text, and what hides in a malformed one, is
// decided here, always towards hiding more; Boost.URL says where the password of a URL is.
#include "text/masking.hpp"

#include <algorithm>
#include <array>
#include <boost/url/decode_view.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/pct_string_view.hpp>
#include <boost/url/url_view.hpp>
#include <optional>

namespace gmr::texts {
namespace {

namespace urls = boost::urls;

constexpr std::string_view url_mark = "://";
constexpr int most_nesting = 4;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_scheme(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
}
bool ends_url(char c) {
  return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>' ||
         c == '`' || c == '\x7F';
}

// Lower case without separators: API-Key, api_key and apiKey are the same name.
std::string normalised(std::string_view name) {
  std::string result;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') {
      result += static_cast<char>(c - 'A' + 'a');
    } else if (is_letter(c) || (c >= '0' && c <= '9')) {
      result += c;
    }
  }
  return result;
}

std::string mask_urls_nested(std::string_view text, int nesting);

std::string decoded(std::string_view encoded) {
  const auto checked = urls::make_pct_string_view(encoded);
  if (!checked) return std::string(encoded);
  const urls::decode_view view{*checked, urls::encoding_opts(true)};
  return {view.begin(), view.end()};
}

// name=value, name=value, ... of a query, fragment or path: secret values masked, and values that
// are URLs with a secret themselves.
std::string mask_parameters(std::string_view text, char separator, int nesting) {
  std::string result;
  for (;;) {
    const std::size_t end = text.find(separator);
    const std::string_view item = text.substr(0, end);
    const std::size_t equals = item.find('=');
    const std::string_view name = item.substr(0, equals);
    const bool has_value = equals != std::string_view::npos && equals + 1 < item.size();
    if (has_value && is_secret_name(decoded(name))) {
      result.append(name).append("=").append(masked);
    } else if (separator == '&' && item.find(';') != std::string_view::npos) {
      result += mask_parameters(item, ';', nesting);
    } else if (has_value && item.find('%') != std::string_view::npos) {
      const std::string plain = decoded(item.substr(equals + 1));
      const bool hides = mask_urls_nested(plain, nesting + 1) != plain;
      result.append(hides ? std::string(name) + "=" + std::string(masked) : std::string(item));
    } else {
      result += item;
    }
    if (end == std::string_view::npos) return result;
    result += separator;
    text.remove_prefix(end + 1);
  }
}

// What follows the authority: path, query, fragment.
std::string mask_tail(std::string_view tail, int nesting) {
  std::string result;
  for (;;) {
    const std::size_t end = tail.find_first_of("?#");
    result += mask_parameters(tail.substr(0, end), '&', nesting);
    if (end == std::string_view::npos) return result;
    result += tail[end];
    tail.remove_prefix(end + 1);
  }
}

// Boost 1.81 also takes u:hun/ter2@h for a host, an empty port and a path without slash.
std::optional<urls::url_view> parse_url(std::string_view text) {
  const auto parsed = urls::parse_uri(text);
  if (!parsed) return std::nullopt;
  const std::string_view path = parsed->encoded_path();
  return path.empty() || path.front() == '/' ? std::optional{*parsed} : std::nullopt;
}

struct password_place {
  std::size_t begin = 0;  // after the colon
  std::size_t end = 0;    // at the @; begin == end: no password
  std::size_t tail = 0;   // where parameters may begin
};

// `url` is well-formed.
password_place place_in(const urls::url_view& url) {
  const std::size_t scheme = url.scheme().size() + url_mark.size();
  const std::size_t tail = url.scheme().size() + 1 + url.encoded_authority().size() + 2;
  if (!url.has_password() || url.encoded_password().empty()) return {0, 0, tail};
  const std::size_t begin = scheme + url.encoded_user().size() + 1;
  return {begin, begin + url.encoded_password().size(), tail};
}

// Not well-formed, often because the password was not encoded, or has several hosts: up to the last
// @ before the query, or the last one at all.
password_place place_in_malformed(std::string_view url) {
  const std::size_t begin = url.find(url_mark) + url_mark.size();
  const std::size_t colon = url.find(':', begin);
  std::size_t at = url.rfind('@');
  if (const std::size_t query = url.find('?', begin); query != std::string_view::npos) {
    const std::size_t before = url.rfind('@', query);
    if (before != std::string_view::npos && before > begin) at = before;
  }
  if (at == std::string_view::npos || colon == std::string_view::npos || at < colon) {
    return {0, 0, std::min(url.find_first_of("/?;#", begin), url.size())};
  }
  return {colon + 1, at, std::min(url.find_first_of("/?;#", at), url.size())};
}

// Whether the URL may go on behind a blank or quote, since its password holds one: it does not
// parse as it is, and its user is not yet complete.
bool is_broken_off(std::string_view url) {
  const std::size_t begin = url.find(url_mark) + url_mark.size();
  return url.find('@', begin) == std::string_view::npos &&
         url.find(':', begin) != std::string_view::npos && !parse_url(url);
}

std::size_t token_end(std::string_view text, std::size_t from, std::size_t limit) {
  while (from < limit && !ends_url(text[from]))
    ++from;
  return from;
}

// Where the URL that begins at `begin` ends, at most at `limit`.
std::size_t url_end(std::string_view text, std::size_t begin, std::size_t mark, std::size_t limit) {
  const std::size_t end = token_end(text, mark + url_mark.size(), limit);
  if (!is_broken_off(text.substr(begin, end - begin))) return end;
  const std::string_view rest = text.substr(end, limit - end);
  const std::size_t at = rest.substr(0, rest.find('\n')).find('@');
  return at == std::string_view::npos ? end : token_end(text, end + at, limit);
}

std::string mask_url(std::string_view url, int nesting) {
  const auto parsed = parse_url(url);
  const password_place at = parsed ? place_in(*parsed) : place_in_malformed(url);
  std::string result;
  if (at.begin < at.end) {
    result.append(url.substr(0, at.begin)).append(masked);
    result.append(url.substr(at.end, at.tail - at.end));
  } else {
    result.append(url.substr(0, at.tail));
  }
  return result + mask_tail(url.substr(at.tail), nesting);
}

// Where the scheme that ends at `mark` begins; `mark` itself when there is none.
std::size_t scheme_begin(std::string_view text, std::size_t from, std::size_t mark) {
  std::size_t begin = mark;
  while (begin > from && is_scheme(text[begin - 1]))
    --begin;
  while (begin < mark && !is_letter(text[begin]))
    ++begin;
  return begin;
}

// A reference without a scheme, as a request's first line has it: GET /orders?token=... . Only its
// query is looked at, from the first question mark to the end of the word. That takes no parser of
// URLs: whatever stands before the question mark is shown as it is.
std::string mask_queries(std::string_view text, int nesting) {
  std::string result;
  for (std::size_t query = text.find('?'); query != std::string_view::npos;
       query = text.find('?')) {
    const std::size_t end = token_end(text, query, text.size());
    result.append(text.substr(0, query));
    result += mask_tail(text.substr(query, end - query), nesting);
    text.remove_prefix(end);
  }
  return result.append(text);
}

std::string mask_urls_nested(std::string_view text, int nesting) {
  if (nesting > most_nesting) return std::string(masked);
  std::string result;
  std::size_t done = 0;
  for (std::size_t mark = text.find(url_mark); mark != std::string_view::npos;) {
    const std::size_t begin = scheme_begin(text, done, mark);
    const std::size_t next = text.find(url_mark, mark + 1);
    const std::size_t limit =
        next == std::string_view::npos ? text.size() : scheme_begin(text, mark + 3, next);
    const std::size_t end = url_end(text, begin, mark, limit);
    result += mask_queries(text.substr(done, begin - done), nesting);
    result += mask_url(text.substr(begin, end - begin), nesting);
    done = end;
    mark = next;
  }
  return result += mask_queries(text.substr(done), nesting);
}

}  // namespace

bool is_secret_name(std::string_view name) {
  constexpr std::array<std::string_view, 22> parts{
      "password",      "passwd",    "passphrase", "passcode",        "secret",     "token",
      "credential",    "apikey",    "accesskey",  "privatekey",      "signingkey", "encryptionkey",
      "sharedkey",     "masterkey", "sessionkey", "accountkey",      "authkey",    "hmackey",
      "authorization", "signature", "cookie",     "connectionstring"};
  constexpr std::array<std::string_view, 6> whole{"key", "pass", "pwd", "pw", "pin", "sig"};
  constexpr std::array<std::string_view, 4> secret_sections{"secrets", "credentials", "passwords",
                                                            "tokens"};
  const std::size_t dot = name.rfind('.');
  const std::string last = normalised(dot == std::string_view::npos ? name : name.substr(dot + 1));
  const auto contains = [&](std::string_view part) { return last.find(part) != std::string::npos; };
  if (std::any_of(parts.begin(), parts.end(), contains)) return true;
  if (std::find(whole.begin(), whole.end(), last) != whole.end() || last.ends_with("pwd"))
    return true;
  if (dot == std::string_view::npos) return false;
  const std::string section = normalised(name.substr(0, dot));
  return std::find(secret_sections.begin(), secret_sections.end(), section) !=
         secret_sections.end();
}

bool may_hold_url(std::string_view text) noexcept {
  return text.find('?') != std::string_view::npos || text.find(url_mark) != std::string_view::npos;
}

std::string mask_urls(std::string_view text) {
  return mask_urls_nested(text, 0);
}

}  // namespace gmr::texts
