// Green threads merged into one call tree by their outer frames.
#include <algorithm>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "view/human.hpp"
#include "view/printable.hpp"
#include "view/text_threads.hpp"

namespace gmr::views {
namespace {

struct tree_node {
  const frame* at = nullptr;
  std::string end;  // of a leaf: what the green threads do there
  std::uint64_t count = 0;
  std::vector<std::unique_ptr<tree_node>> children;
};

bool same_place(const frame& left, const frame& right) {
  return std::tie(left.line, left.file, left.function_full, left.function) ==
         std::tie(right.line, right.file, right.function_full, right.function);
}

tree_node& add_child(tree_node& parent, const frame* at, const std::string& end) {
  for (const auto& child : parent.children) {
    const bool same = at == nullptr || child->at == nullptr ? at == child->at && end == child->end
                                                            : same_place(*at, *child->at);
    if (same) return *child;
  }
  parent.children.push_back(std::make_unique<tree_node>());
  parent.children.back()->at = at;
  parent.children.back()->end = end;
  return *parent.children.back();
}

// Library frames say little about where branches part: only the innermost frame may be one.
void add(tree_node& root, const green_thread_group& group, const stack& frames,
         const std::string& end) {
  tree_node* node = &root;
  node->count += group.count;
  for (auto at = frames.frames.rbegin(); at != frames.frames.rend(); ++at) {
    if ((*at)->internal && std::next(at) != frames.frames.rend()) continue;
    node = &add_child(*node, *at, {});
    node->count += group.count;
  }
  add_child(*node, nullptr, end).count += group.count;
}

void sort(tree_node& node) {
  std::stable_sort(node.children.begin(), node.children.end(),
                   [](const auto& a, const auto& b) { return a->count > b->count; });
  for (const auto& child : node.children)
    sort(*child);
}

void show(page& out, const tree_node& node, std::size_t indent, const path_shortener& paths) {
  constexpr std::size_t deepest_indent = 60;
  for (const auto& child : node.children) {
    const std::string what = child->at == nullptr ? child->end : frame_text(*child->at, paths);
    out.unbroken(std::min(indent, deepest_indent), std::to_string(child->count) + "  " + what);
    // Only where branches part does it go deeper.
    show(out, *child, child->children.size() > 1 ? indent + 2 : indent, paths);
  }
}

}  // namespace

void show_green_tree(page& out, const green_threads_info& all, const path_shortener& paths) {
  static const stack none;
  tree_node root;
  for (const green_thread_group& group : all.groups)
    add(root, group, group.stack < all.stacks.size() ? all.stacks[group.stack] : none,
        group_title(group));
  sort(root);
  if (root.count == 0) return;
  out.block("Call tree, outermost frame first");
  show(out, root, 0, paths);
}

}  // namespace gmr::views
