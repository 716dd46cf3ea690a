#include "gmr/model/value.hpp"

#include <new>

namespace gmr {
namespace {

using values = std::vector<value>;

bool is_container(const value& of) noexcept {
  return std::holds_alternative<list>(of.get()) || std::holds_alternative<key_values>(of.get()) ||
         std::holds_alternative<table>(of.get());
}

void move_container(value& from, values& to) {
  if (is_container(from)) to.push_back(std::move(from));
}

void move_containers(list& from, values& to) {
  for (value& each : from.items)
    move_container(each, to);
}

void move_containers(key_values& from, values& to) {
  for (auto& [name, each] : from.entries)
    move_container(each, to);
}

void move_containers(table& from, values& to) {
  for (values& row : from.rows)
    for (value& each : row)
      move_container(each, to);
}

template <class Other>
void move_containers(Other&, values&) {}

}  // namespace

// Containers within containers are taken out of the tree before they are destroyed, so that no
// destructor calls itself for each level. Without memory for that they are destroyed the other way.
void value::destroy_nested() noexcept {
  try {
    values nested;
    const auto take_nested = [&](auto& content) { move_containers(content, nested); };
    std::visit(take_nested, storage_);
    while (!nested.empty()) {
      value last = std::move(nested.back());
      nested.pop_back();
      std::visit(take_nested, last.storage_);
    }
  } catch (const std::bad_alloc&) {
  }
}

}  // namespace gmr
