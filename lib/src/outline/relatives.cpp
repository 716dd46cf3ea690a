// Who awaits and has resumed whom.
#include <map>
#include <ranges>
#include <set>
#include <unordered_map>

#include "outline/relations.hpp"

namespace gmr::outlines {
namespace {

class relatives final {
 public:
  explicit relatives(const report& complete) {
    const green_threads_info& all = complete.green_threads;
    for (const green_thread_group& group : all.groups)
      for (const green_thread_parent& each : group.parent_of)
        add(each.id, each.parent);
    for (const green_thread_info& each : all.listed)
      if (each.parent != 0) add(each.id, each.parent);
    if (related_.empty()) return;
    for (const green_thread_group& group : all.groups)
      for (const std::uint64_t id : group.ids)
        find(id).group = &group;
    for (const green_thread_info& each : all.listed) {
      find(each.id).listed = &each;
      find(each.id).thread = each.thread;
    }
    for (const thread_info& thread : complete.threads)
      if (thread.runs) find(*thread.runs).thread = thread.id;
  }

  [[nodiscard]] std::vector<relative> take() {
    for (const std::uint64_t id : related_)
      if (!has_parent_.contains(id)) walk(id);
    // What is left is in circles.
    for (const std::uint64_t id : related_)
      if (!walked_.contains(id)) walk(id);
    return std::move(out_);
  }

 private:
  void add(std::uint64_t id, std::uint64_t parent) {
    children_[parent].insert(id);
    has_parent_.insert(id);
    related_.insert({id, parent});
  }

  relative& find(std::uint64_t id) {
    if (!related_.contains(id)) return unrelated_;
    relative& known = known_[id];
    known.id = id;
    return known;
  }

  // Without recursion: a report may have been read from a file, and its chains are as long as it
  // says.
  void walk(std::uint64_t root) {
    std::vector<std::pair<std::uint64_t, std::uint32_t>> next{{root, 0}};
    while (!next.empty()) {
      const auto [id, depth] = next.back();
      next.pop_back();
      relative& made = out_.emplace_back(find(id));
      made.depth = depth;
      made.again = !walked_.insert(id).second;
      if (made.again) continue;
      for (const std::uint64_t child : children_[id] | std::views::reverse)
        next.emplace_back(child, depth + 1);
    }
  }

  std::set<std::uint64_t> related_;
  std::set<std::uint64_t> has_parent_;
  std::set<std::uint64_t> walked_;
  std::map<std::uint64_t, std::set<std::uint64_t>> children_;
  std::unordered_map<std::uint64_t, relative> known_;
  relative unrelated_;
  std::vector<relative> out_;
};

}  // namespace

std::vector<relative> tree_of_relatives(const report& complete) {
  return relatives{complete}.take();
}

}  // namespace gmr::outlines
