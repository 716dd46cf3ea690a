// What all threads resume, for whoever comes.
#pragma once

#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

namespace torture {

// Of something that can be moved and may be empty.
template <class Item>
class exchange final {
 public:
  // False when there are enough.
  bool put(Item& item) {
    constexpr std::size_t most = 150;
    const std::lock_guard lock{mutex_};
    if (items_.size() >= most) return false;
    items_.push_back(std::move(item));
    return true;
  }
  // Empty when there is none.
  Item take(unsigned number) {
    const std::lock_guard lock{mutex_};
    if (items_.empty()) return {};
    std::swap(items_[number % items_.size()], items_.back());
    Item item = std::move(items_.back());
    items_.pop_back();
    return item;
  }

 private:
  std::mutex mutex_;
  std::vector<Item> items_;
};

}  // namespace torture
