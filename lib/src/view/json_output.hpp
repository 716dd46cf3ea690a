// RapidJSON's writer with what the JSON view needs: null for what is unknown, always valid UTF-8.
// Streaming: nothing is kept but the text itself.
#pragma once

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gmr/model/value.hpp"
#include "view/human.hpp"
#include "view/printable.hpp"

namespace gmr::views {

class json_output final {
 public:
  void begin_object() { writer_.StartObject(); }
  void end_object() { writer_.EndObject(); }
  void begin_array() { writer_.StartArray(); }
  void end_array() { writer_.EndArray(); }

  void key(std::string_view name) {
    const std::string_view clean = valid_utf8(name, scratch_);
    writer_.Key(clean.data(), static_cast<rapidjson::SizeType>(clean.size()));
  }

  void null() { writer_.Null(); }
  void boolean(bool content) { writer_.Bool(content); }
  void text(std::string_view content) {
    const std::string_view clean = valid_utf8(content, scratch_);
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
  void address(std::uint64_t content) { text(hex(content)); }
  void address_or_null(const std::optional<std::uint64_t>& content) {
    content ? address(*content) : null();
  }

  // Any tree of values; one nested deeper than people nest is cut, and says so.
  void tree(const value& content, int depth = 0);

  // Ends the line; call once.
  [[nodiscard]] std::string take() {
    buffer_.Put('\n');
    return {buffer_.GetString(), buffer_.GetSize()};
  }

 private:
  void rows(const table& content, int depth);

  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
  std::string scratch_;
};

}  // namespace gmr::views
