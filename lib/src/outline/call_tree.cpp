// Green threads merged into one call tree by their outer frames.
#include <algorithm>
#include <iterator>
#include <tuple>

#include "outline/arrange.hpp"

namespace gmr::outlines {
namespace {

bool same_place(const frame& left, const frame& right) {
  return std::tie(left.line, left.file, left.function_full, left.function) ==
         std::tie(right.line, right.file, right.function_full, right.function);
}

call_tree& child_at(call_tree& parent, const frame& at) {
  const auto known = std::ranges::find_if(parent.children, [&](const call_tree& child) {
    return child.at != nullptr && same_place(*child.at, at);
  });
  if (known != parent.children.end()) return *known;
  call_tree& made = parent.children.emplace_back();
  made.at = &at;
  return made;
}

// Library frames say little about where branches part: only the innermost frame may be one.
void add(call_tree& root, const green_thread_group& group, const stack& frames) {
  call_tree* node = &root;
  node->count += group.count;
  for (auto at = frames.frames.rbegin(); at != frames.frames.rend(); ++at) {
    if ((*at)->internal && std::next(at) != frames.frames.rend()) continue;
    node = &child_at(*node, **at);
    node->count += group.count;
  }
  call_tree& end = node->children.emplace_back();
  end.group = &group;
  end.count = group.count;
}

void sort(call_tree& node) {
  std::ranges::stable_sort(node.children, std::ranges::greater{}, &call_tree::count);
  for (call_tree& child : node.children)
    sort(child);
}

}  // namespace

call_tree make_call_tree(const green_threads_info& all) {
  static const stack none;
  call_tree root;
  for (const green_thread_group& group : all.groups)
    add(root, group, group.stack < all.stacks.size() ? all.stacks[group.stack] : none);
  sort(root);
  return root;
}

}  // namespace gmr::outlines
