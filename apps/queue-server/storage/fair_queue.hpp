// What waits for its turn: each project has a line of its own, and the projects take turns, so that
// what one asks for, however much, does not stand before what another does. Not thread-safe.
#pragma once

#include <deque>
#include <iterator>
#include <list>
#include <string>
#include <unordered_map>
#include <utility>

namespace queue_server {

template <class Item>
class fair_queue final {
 public:
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }

  void push_back(const std::string& project, Item item) {
    line_of(project).push_back(std::move(item));
    ++count_;
  }
  // For what has begun: it goes on before what came later of the same project, when that has its
  // turn again.
  void push_front(const std::string& project, Item item) {
    line_of(project).push_front(std::move(item));
    ++count_;
  }

  // Must not be empty.
  [[nodiscard]] Item pop() {
    const auto next = turns_.begin();
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

 private:
  using turn = std::pair<std::string, std::deque<Item>>;

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
