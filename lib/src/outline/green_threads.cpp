#include <algorithm>

#include "outline/arrange.hpp"

namespace gmr::outlines {
namespace {

const stack& stack_at(const green_threads_info& all, std::uint32_t number) {
  static const stack none;
  return number < all.stacks.size() ? all.stacks[number] : none;
}

parent_form parents_of(const green_thread_group& group) {
  if (group.with_parent == 0) return parent_form::none;
  return group.with_parent == group.count && group.parents.size() == 1 ? parent_form::same
                                                                       : parent_form::differ;
}

green_group_outline arrange_group(const green_thread_group& group, const green_threads_info& all) {
  green_group_outline out;
  out.source = &group;
  out.stack = arrange_stack(stack_at(all, group.stack));
  out.parents = parents_of(group);
  out.runs_on_thread =
      group.state == green_thread_state::running && out.stack.source->frames.empty();
  // What the note says is that it runs.
  if (out.runs_on_thread) out.stack.note.clear();
  return out;
}

// Below those with the same stack, so that no stack comes twice.
std::vector<listed_stack> by_stack(const green_threads_info& all) {
  std::vector<const green_thread_info*> ordered;
  ordered.reserve(all.listed.size());
  for (const green_thread_info& each : all.listed)
    ordered.push_back(&each);
  std::ranges::stable_sort(ordered, {}, &green_thread_info::stack);
  std::vector<listed_stack> out;
  for (const green_thread_info* each : ordered) {
    if (out.empty() || out.back().number != each->stack)
      out.push_back({.number = each->stack,
                     .stack = arrange_stack(stack_at(all, each->stack)),
                     .green_threads = {}});
    out.back().green_threads.push_back(each);
  }
  return out;
}

}  // namespace

green_threads_outline arrange_green_threads(const green_threads_info& all, report_list list) {
  green_threads_outline out;
  if (list == report_list::each) {
    out.listed = by_stack(all);
    return out;
  }
  for (const green_thread_group& group : all.groups)
    out.groups.push_back(arrange_group(group, all));
  if (list == report_list::tree) out.tree = make_call_tree(all);
  return out;
}

}  // namespace gmr::outlines
