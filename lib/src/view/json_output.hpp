// RapidJSON's writer with what the JSON view needs: null for what is unknown, always valid UTF-8.
// Streaming: nothing is kept but the text itself. A report may list a million green threads, each
// with some twenty names.
#pragma once

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gmr/model/value.hpp"
#include "text/hex.hpp"
#include "text/printable.hpp"

namespace gmr::views {

// The name of a member in the contract: it needs no escapes, which is seen when it is compiled.
class json_key final {
 public:
  consteval json_key(const char* name) : name_(name) {
    for (const char c : name_)
      if ((c < 'a' || c > 'z') && c != '_') throw "not a name of the contract";
  }
  [[nodiscard]] std::string_view name() const noexcept { return name_; }

 private:
  std::string_view name_;
};

class json_writer final : public rapidjson::Writer<rapidjson::StringBuffer> {
 public:
  using Writer::Writer;

  // As `Key`, without looking for what must be escaped.
  void plain_key(std::string_view name) {
    Prefix(rapidjson::kStringType);
    char* const to = os_->Push(name.size() + 2);
    to[0] = to[name.size() + 1] = '"';
    name.copy(to + 1, name.size());
  }
};

class json_output final {
 public:
  void begin_object() { writer_.StartObject(); }
  void end_object() {
    writer_.EndObject();
    constexpr std::size_t enough = 65536;
    if (buffer_.GetSize() >= enough) move_on();
  }
  void begin_array() { writer_.StartArray(); }
  void end_array() { writer_.EndArray(); }

  void key(json_key known) { writer_.plain_key(known.name()); }
  // Any text.
  void free_key(std::string_view name) {
    const std::string_view clean = texts::valid_utf8(name, scratch_);
    if (texts::misleads(clean)) return ascii(clean);
    writer_.Key(clean.data(), static_cast<rapidjson::SizeType>(clean.size()));
  }

  void null() { writer_.Null(); }
  void boolean(bool content) { writer_.Bool(content); }
  void text(std::string_view content) {
    const std::string_view clean = texts::valid_utf8(content, scratch_);
    if (texts::misleads(clean)) return ascii(clean);
    writer_.String(clean.data(), static_cast<rapidjson::SizeType>(clean.size()));
  }
  void text_or_null(std::string_view content) { content.empty() ? null() : text(content); }

  template <std::integral Integer>
  void number(Integer content) {
    if constexpr (std::signed_integral<Integer>) {
      writer_.Int64(content);
    } else {
      writer_.Uint64(content);
    }
  }
  // JSON has no infinity and no NaN.
  void number(double content) { std::isfinite(content) ? void(writer_.Double(content)) : null(); }
  template <class Number>
  void number_or_null(const std::optional<Number>& content) {
    content ? number(*content) : null();
  }

  // In microseconds' steps: the digits below are noise and cost space.
  void seconds(double content) { number(std::round(content * 1e6) / 1e6); }
  void seconds_or_null(const std::optional<double>& content) {
    content ? seconds(*content) : null();
  }

  // Addresses are strings: many readers of JSON keep only 53 bits of a number.
  void address(std::uint64_t content) { text(texts::hex(content)); }
  void address_or_null(const std::optional<std::uint64_t>& content) {
    content ? address(*content) : null();
  }

  // Any tree of values; one nested deeper than people nest is cut, and says so.
  void tree(const value& content, int depth = 0);

  // So much more is to come, about.
  void expect(std::size_t bytes) { text_.reserve(text_.size() + bytes); }

  // Ends the line; call once.
  [[nodiscard]] std::string take() {
    buffer_.Put('\n');
    move_on();
    return std::move(text_);
  }

 private:
  void rows(const table& content, int depth);
  // As a string with an escape for all that is not ASCII: the same text to a program, and harmless
  // to a terminal that shows the line.
  void ascii(std::string_view clean);
  void move_on() {
    text_.append(buffer_.GetString(), buffer_.GetSize());
    buffer_.Clear();
  }

  std::string text_;
  rapidjson::StringBuffer buffer_;  // what follows it
  json_writer writer_{buffer_};
  std::string scratch_;
};

}  // namespace gmr::views
