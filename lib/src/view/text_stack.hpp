// Stacks and waits as text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gmr/model/report.hpp"
#include "outline/outline.hpp"
#include "view/page.hpp"

namespace gmr::views {

// Shows source paths relative to the directory that the head of the report names. Only the forms
// for people do: JSON has the paths as the compiler wrote them.
class path_shortener final {
 public:
  // Of an outline, which outlives it.
  explicit path_shortener(const outlines::outline& shown)
      : root_(shown.source_root), code_(shown.code) {}
  [[nodiscard]] std::string shorten(std::string_view file) const;
  // The line of source that the frame stands on; empty where that is not known.
  [[nodiscard]] std::string_view code(const frame& entry) const;

 private:
  std::string_view root_;
  const outlines::source_lines* code_;
};

// One line a frame, innermost first, and one for each run that is folded.
void show_stack(page& out, std::size_t indent, const outlines::stack_outline& shown,
                const path_shortener& paths);

// "session::run", or its address where that is not known.
[[nodiscard]] std::string function_text(const frame& entry);
// "at src/session.cpp:42", "in libc.so.6+0x8a1f3"; empty when not known.
[[nodiscard]] std::string place_text(const frame& entry, const path_shortener& paths);
// "... 14 frames of Boost.Asio ..."
[[nodiscard]] std::string fold_text(const outlines::frame_run& run);
// "session::run at src/session.cpp:42"
[[nodiscard]] std::string frame_text(const frame& entry, const path_shortener& paths);

// ", still for 4 s", ", overdue for 1 s"
[[nodiscard]] std::string remaining_text(double seconds);
// ", receive queue 0 B, send queue 128.0 KiB"; empty when nothing is known.
[[nodiscard]] std::string queues_text(const std::optional<socket_queues>& queues);
// "mutex 0x7f.. held by thread 813"
[[nodiscard]] std::string wait_text(const wait_info& wait);

}  // namespace gmr::views
