// What waits for its turn: each project has a line of its own, and the projects take turns, so that
// what one asks for, however much, does not stand before what another does. Not thread-safe.
#pragma once

#include <algorithm>
#include <deque>
#include <iterator>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace queue_server {

template <class Item>
class fair_queue final {
 public:
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }

  // `project` may be a part of the item, which is left alone until its line is known; so below.
  void push_back(const std::string& project, Item&& item) {
    line_of(project).push_back(std::move(item));
    ++count_;
  }
  // For what has begun: it goes on before what came later of the same project, when that has its
  // turn again.
  void push_front(const std::string& project, Item&& item) {
    line_of(project).push_front(std::move(item));
    ++count_;
  }

  // Must not be empty.
  [[nodiscard]] Item pop() { return take(turns_.begin()); }

  // Of the first project in turn for which `may` is true; nothing when there is none.
  template <class May>
  [[nodiscard]] std::optional<Item> pop_if(May may) {
    const auto next = std::find_if(turns_.begin(), turns_.end(),
                                   [&may](const turn& each) { return may(each.first); });
    if (next == turns_.end()) return std::nullopt;
    return take(next);
  }

  void clear() noexcept {
    turns_.clear();
    places_.clear();
    count_ = 0;
  }

 private:
  using turn = std::pair<std::string, std::deque<Item>>;

  [[nodiscard]] Item take(typename std::list<turn>::iterator next) {
    std::deque<Item>& line = next->second;
    Item taken = std::move(line.front());
    line.pop_front();
    --count_;
    if (line.empty()) {
      places_.erase(next->first);
      turns_.erase(next);
    } else {
      turns_.splice(turns_.end(), turns_, next);
    }
    return taken;
  }

  std::deque<Item>& line_of(const std::string& project) {
    const auto [found, added] = places_.try_emplace(project);
    if (added) {
      turns_.emplace_back(project, std::deque<Item>());
      found->second = std::prev(turns_.end());
    }
    return found->second->second;
  }

  std::list<turn> turns_;  // the one whose turn it is stands first
  std::unordered_map<std::string, typename std::list<turn>::iterator> places_;
  std::size_t count_ = 0;
};

}  // namespace queue_server
