// The page a text report is written on: banners, titles, indented lines. A line stays within 100
// columns where it can be broken; what has no place to break keeps its length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gmr::views {

class page final {
 public:
  static constexpr std::size_t width = 100;

  void banner(std::string_view title);   // the report's first and last
  void section(std::string_view title);  // a part of the report
  void block(std::string_view title);    // a part of a section
  void blank();                          // one empty line, never two

  // One line, `indent` columns in; further lines of a long one are four columns deeper. `content`
  // must be printable and without line breaks.
  void line(std::size_t indent, std::string_view content);
  // The same without breaking it.
  void unbroken(std::size_t indent, std::string_view content);
  // Any text: each of its lines made printable.
  void text(std::size_t indent, std::string_view content);

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

// "a, b, c and 5 more"
[[nodiscard]] std::string join_some(const std::vector<std::string>& names, std::size_t most,
                                    std::size_t total);

// As many of them as fit into `room` columns, but one at least: "a, b, c and 5 more".
[[nodiscard]] std::string join_fitting(const std::vector<std::string>& names, std::size_t room,
                                       std::size_t total);

// "1 frame", "2 frames"
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view noun);

}  // namespace gmr::views
