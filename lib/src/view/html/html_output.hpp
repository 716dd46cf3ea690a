// Writes HTML: what is markup stands in the source, and whatever comes from a report is text.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "text/printable.hpp"

namespace gmr::views {

// Markup that stands in the source: nothing that was made at run time becomes one.
class markup final {
 public:
  consteval markup(const char* literal)
      : content_(literal) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] std::string_view content() const noexcept { return content_; }

 private:
  std::string_view content_;
};

class html_output final {
 public:
  html_output& operator<<(markup literal) {
    out_ += literal.content();
    return *this;
  }

  // Any text, as content or as an attribute's value between quotes. Control characters and marks
  // that turn text around are shown as in the text view.
  html_output& text(std::string_view content,
                    texts::line_breaks breaks = texts::line_breaks::escape) {
    scratch_.clear();
    texts::append_printable(scratch_, content, breaks);
    for (const char c : scratch_)
      append(c);
    return *this;
  }

  template <std::integral Number>
  html_output& number(Number content) {
    out_ += std::to_string(content);
    return *this;
  }

  // A whole file that belongs to the library.
  html_output& asset(std::string_view content) {
    out_ += content;
    return *this;
  }

  void expect(std::size_t bytes) { out_.reserve(out_.size() + bytes); }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void append(char c) {
    switch (c) {
      case '&':
        out_ += "&amp;";
        break;
      case '<':
        out_ += "&lt;";
        break;
      case '>':
        out_ += "&gt;";
        break;
      case '"':
        out_ += "&quot;";
        break;
      case '\'':
        out_ += "&#39;";
        break;
      default:
        out_ += c;
    }
  }

  std::string out_;
  std::string scratch_;
};

}  // namespace gmr::views
