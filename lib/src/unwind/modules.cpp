// Which module an address belongs to.
#include "unwind/modules.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "unwind/loader_list.hpp"

namespace gmr::unwind {
namespace {

constexpr std::size_t most_unloaded = 64;

std::shared_ptr<const module> known_or_new(const std::vector<std::shared_ptr<const module>>& known,
                                           module&& found) {
  for (const auto& old : known) {
    if (*old == found) return old;
  }
  return std::make_shared<const module>(std::move(found));
}

}  // namespace

bool module::has_code_at(std::uintptr_t address) const noexcept {
  return std::any_of(segments.begin(), segments.end(), [&](const load_segment& part) {
    return part.executable && address - base - part.address < part.memory_size;
  });
}

bool module_table::refresh() {
  std::vector<std::shared_ptr<const module>> now;
  for (module& found : read_loader_list()) {
    now.push_back(known_or_new(loaded_, std::move(found)));
  }
  std::sort(now.begin(), now.end(),
            [](const auto& a, const auto& b) { return a->extent.begin < b->extent.begin; });
  if (now == loaded_) return false;
  for (const auto& old : loaded_) {
    if (std::find(now.begin(), now.end(), old) == now.end()) unloaded_.push_back(old);
  }
  forget_oldest();
  loaded_ = std::move(now);
  return true;
}

void module_table::forget_oldest() {
  if (unloaded_.size() <= most_unloaded) return;
  unloaded_.erase(unloaded_.begin(), unloaded_.end() - static_cast<std::ptrdiff_t>(most_unloaded));
}

bool module_table::settle() {
  const std::vector<module> now = read_loader_list();
  const auto stays = [&](const std::shared_ptr<const module>& old) {
    return std::any_of(now.begin(), now.end(), [&](const module& each) { return each == *old; });
  };
  const auto is_new = [&](const module& each) {
    return std::none_of(loaded_.begin(), loaded_.end(),
                        [&](const std::shared_ptr<const module>& old) { return *old == each; });
  };
  const auto gone = std::stable_partition(loaded_.begin(), loaded_.end(), stays);
  if (gone == loaded_.end()) return false;  // who is new only is unknown anyway
  std::vector<module> uncertain;
  for (auto old = gone; old != loaded_.end(); ++old)
    uncertain.push_back(**old);
  std::copy_if(now.begin(), now.end(), std::back_inserter(uncertain), is_new);
  loaded_.erase(gone, loaded_.end());
  for (const module& each : uncertain) {
    module unknown;
    unknown.path = "[being loaded]";
    unknown.extent = each.extent;
    unloaded_.push_back(std::make_shared<const module>(std::move(unknown)));
  }
  forget_oldest();
  return true;
}

const module* module_table::find(std::uintptr_t address) const noexcept {
  const auto after = std::upper_bound(
      loaded_.begin(), loaded_.end(), address,
      [](std::uintptr_t value, const auto& entry) { return value < entry->extent.begin; });
  if (after == loaded_.begin()) return nullptr;
  const module* const candidate = std::prev(after)->get();
  return candidate->extent.contains(address) ? candidate : nullptr;
}

const module* module_table::find_unloaded(std::uintptr_t address) const noexcept {
  const auto last = std::find_if(unloaded_.rbegin(), unloaded_.rend(), [&](const auto& entry) {
    return entry->extent.contains(address);
  });
  return last == unloaded_.rend() ? nullptr : last->get();
}

}  // namespace gmr::unwind
