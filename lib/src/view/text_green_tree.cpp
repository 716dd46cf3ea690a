// The call tree of green threads as text.
#include <algorithm>
#include <string>

#include "view/text_threads.hpp"

namespace gmr::views {
namespace {

void show(page& out, const outlines::call_tree& node, std::size_t indent,
          const path_shortener& paths) {
  constexpr std::size_t deepest_indent = 60;
  for (const outlines::call_tree& child : node.children) {
    const std::string what =
        child.at == nullptr ? group_title(*child.group) : frame_text(*child.at, paths);
    out.unbroken(std::min(indent, deepest_indent), std::to_string(child.count) + "  " + what);
    // Only where branches part does it go deeper.
    show(out, child, child.children.size() > 1 ? indent + 2 : indent, paths);
  }
}

}  // namespace

void show_green_tree(page& out, const outlines::call_tree& root, const path_shortener& paths) {
  if (root.count == 0) return;
  out.block("Call tree, outermost frame first");
  show(out, root, 0, paths);
}

}  // namespace gmr::views
