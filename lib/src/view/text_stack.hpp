// Stacks and waits as text.
#pragma once

#include <string>
#include <string_view>

#include "gmr/model/report.hpp"
#include "view/page.hpp"

namespace gmr::views {

// Shows source paths relative to the directory that all of the service's own files share. Only the
// text form does: JSON has the paths as the compiler wrote them.
class path_shortener final {
 public:
  explicit path_shortener(const report& complete);
  [[nodiscard]] std::string shorten(std::string_view file) const;
  [[nodiscard]] const std::string& root() const noexcept { return root_; }  // ends in /, or empty

 private:
  void learn(const stack& frames);

  std::string root_;
  std::string first_;     // file that was met
  bool several_ = false;  // different files; one alone has no directory to be relative to
};

// One line a frame, innermost first. A run of three or more frames that belong to Asio, Boost or
// the standard library becomes one line, unless nothing else is in the stack; the innermost frame
// is always shown.
enum class folding { unless_all, always };
void show_stack(page& out, std::size_t indent, const stack& frames, const path_shortener& paths,
                folding how = folding::unless_all);

// "session::run at src/session.cpp:42"
[[nodiscard]] std::string frame_text(const frame& entry, const path_shortener& paths);

// ", still for 4 s", ", overdue for 1 s"
[[nodiscard]] std::string remaining_text(double seconds);
// "mutex 0x7f.. held by thread 813 for 12.3 s"
[[nodiscard]] std::string wait_text(const wait_info& wait);

}  // namespace gmr::views
