#include "text/printable.hpp"

#include <algorithm>
#include <cstdint>

#include "text/hex.hpp"

namespace gmr::texts {
namespace {

struct code_point {
  std::uint32_t value = 0;
  std::size_t length = 0;  // in bytes; 0: the byte is not the start of valid UTF-8
};

// Strict: no overlong forms, no surrogates, nothing above U+10FFFF.
code_point decode(std::string_view bytes) noexcept {
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || bytes.size() < length) return {};
  std::uint32_t value = first & (0x7FU >> length);
  for (std::size_t at = 1; at < length; ++at) {
    if ((byte(at) & 0xC0U) != 0x80U) return {};
    value = value << 6U | (byte(at) & 0x3FU);
  }
  constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < smallest[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
    return {};
  return {value, length};
}

void append_byte_escape(std::string& out, std::uint8_t byte) {
  out += "\\x";
  append_hex_digits(out, byte, 2);
}

// C1 controls, line and paragraph separators, direction marks and overrides, byte order mark.
bool misleads(std::uint32_t value) noexcept {
  return (value >= 0x80 && value < 0xA0) || value == 0x61C ||
         (value >= 0x200B && value <= 0x200F) || (value >= 0x2028 && value <= 0x202E) ||
         (value >= 0x2066 && value <= 0x2069) || value == 0xFEFF;
}

void append_control(std::string& out, char control, line_breaks breaks) {
  if (control == '\n') {
    out += breaks == line_breaks::keep ? "\n" : "\\n";
  } else if (control == '\t') {
    out += breaks == line_breaks::keep ? "    " : "\\t";
  } else if (control == '\r') {
    out += "\\r";
  } else {
    append_byte_escape(out, static_cast<std::uint8_t>(control));
  }
}

bool plain(char c) noexcept {
  return c >= 0x20 && c < 0x7F;
}

}  // namespace

void append_printable(std::string& out, std::string_view bytes, line_breaks breaks) {
  while (!bytes.empty()) {
    std::size_t run = 0;
    while (run < bytes.size() && plain(bytes[run]))
      ++run;
    out.append(bytes.substr(0, run));
    bytes.remove_prefix(run);
    if (bytes.empty()) return;
    const code_point next = decode(bytes);
    if (next.length == 0) {
      append_byte_escape(out, static_cast<std::uint8_t>(bytes[0]));
    } else if (next.length == 1) {
      append_control(out, bytes[0], breaks);
    } else if (misleads(next.value)) {
      out += "\\u{";
      append_hex_digits(out, next.value, 1);
      out += '}';
    } else {
      out.append(bytes.substr(0, next.length));
    }
    bytes.remove_prefix(next.length == 0 ? 1 : next.length);
  }
}

std::string printable(std::string_view bytes, line_breaks breaks) {
  std::string out;
  out.reserve(bytes.size());
  append_printable(out, bytes, breaks);
  return out;
}

std::string_view valid_utf8(std::string_view bytes, std::string& scratch) {
  std::size_t good = 0;
  while (good < bytes.size()) {
    if (static_cast<std::uint8_t>(bytes[good]) < 0x80) {
      ++good;
      continue;
    }
    const code_point next = decode(bytes.substr(good));
    if (next.length == 0) break;
    good += next.length;
  }
  if (good == bytes.size()) return bytes;

  scratch.assign(bytes.substr(0, good));
  for (bytes.remove_prefix(good); !bytes.empty();) {
    const code_point next = decode(bytes);
    if (next.length == 0) {
      append_byte_escape(scratch, static_cast<std::uint8_t>(bytes[0]));
    } else {
      scratch.append(bytes.substr(0, next.length));
    }
    bytes.remove_prefix(next.length == 0 ? 1 : next.length);
  }
  return scratch;
}

bool misleads(std::string_view valid_utf8) noexcept {
  for (std::size_t at = 0; at < valid_utf8.size();) {
    if (static_cast<std::uint8_t>(valid_utf8[at]) < 0x80) {
      ++at;
      continue;
    }
    const code_point next = decode(valid_utf8.substr(at));
    if (misleads(next.value)) return true;
    at += std::max<std::size_t>(next.length, 1);
  }
  return false;
}

std::size_t columns(std::string_view printable_text) noexcept {
  std::size_t count = 0;
  for (const char c : printable_text)
    count += (static_cast<std::uint8_t>(c) & 0xC0U) != 0x80U;
  return count;
}

std::string_view first_columns(std::string_view printable_text, std::size_t most) noexcept {
  std::size_t count = 0;
  for (std::size_t at = 0; at < printable_text.size(); ++at) {
    if ((static_cast<std::uint8_t>(printable_text[at]) & 0xC0U) == 0x80U) continue;
    if (count++ == most) return printable_text.substr(0, at);
  }
  return printable_text;
}

}  // namespace gmr::texts
