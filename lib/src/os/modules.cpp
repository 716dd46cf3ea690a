// Which module an address belongs to.
#include "os/modules.hpp"

#include <algorithm>
#include <iterator>
#include <thread>
#include <utility>

#include "os/loader_list.hpp"

namespace gmr::os {
namespace {

constexpr std::size_t most_unloaded = 64;

using list = module_table::list;

std::shared_ptr<const module> known_or_new(const list& known, module&& found) {
  for (const auto& old : known) {
    if (*old == found) return old;
  }
  return std::make_shared<const module>(std::move(found));
}

void add_unloaded(list& unloaded, std::shared_ptr<const module> gone) {
  unloaded.push_back(std::move(gone));
  if (unloaded.size() > most_unloaded) unloaded.erase(unloaded.begin());
}

bool has_equal(const std::vector<module>& among, const module& wanted) {
  return std::find(among.begin(), among.end(), wanted) != among.end();
}

bool overlaps_any(const std::vector<module>& among, const module& wanted) {
  return std::any_of(among.begin(), among.end(), [&](const module& each) {
    return each.extent.begin < wanted.extent.end && wanted.extent.begin < each.extent.end;
  });
}

// A list that changes while it is read is soon the next one; of a thread that is stuck in a change
// it stays what it is, and something may be missing: see loader_chain::whole.
std::vector<module> read_list(loader_chain& chain) {
  constexpr int most_tries = 4;
  std::vector<module> found = read_loader_list(chain);
  for (int tries = 1; tries < most_tries && !chain.whole; ++tries) {
    std::this_thread::yield();
    found = read_loader_list(chain);
  }
  return found;
}

// Of a module that is not found in a list with something missing it can't be said that it is gone,
// unless another has its place.
bool may_be_there(const module& known, const std::vector<module>& now, const loader_chain& chain) {
  return !chain.whole && !overlaps_any(now, known);
}

// Nobody knows what was there.
std::shared_ptr<const module> unknown_at(const address_range& extent) {
  module unknown;
  unknown.path = "[being loaded]";
  unknown.extent = extent;
  return std::make_shared<const module>(std::move(unknown));
}

}  // namespace

bool module::has_code_at(std::uintptr_t address) const noexcept {
  return std::any_of(segments.begin(), segments.end(), [&](const load_segment& part) {
    return part.executable && address - base - part.address < part.memory_size;
  });
}

module_table::module_table(list loaded, list unloaded)
    : loaded_(std::move(loaded)), unloaded_(std::move(unloaded)) {
  std::sort(loaded_.begin(), loaded_.end(),
            [](const auto& a, const auto& b) { return a->extent.begin < b->extent.begin; });
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

module_reader::module_reader() : seen_(std::make_unique<loader_chain>()) {}
module_reader::~module_reader() = default;

shared_modules module_reader::read() {
  std::vector<module> found = read_list(*seen_);
  list loaded;
  list unloaded = last_->unloaded();
  for (const auto& old : last_->loaded()) {
    if (has_equal(found, *old)) continue;
    if (may_be_there(*old, found, *seen_))
      loaded.push_back(old);
    else
      add_unloaded(unloaded, old);
  }
  for (module& each : found)
    loaded.push_back(known_or_new(last_->loaded(), std::move(each)));
  module_table now{std::move(loaded), std::move(unloaded)};
  if (now.loaded() != last_->loaded()) last_ = std::make_shared<const module_table>(std::move(now));
  return last_;
}

shared_modules module_reader::confirm() {
  if (is_unchanged(*seen_)) return last_;
  const std::vector<module> now = read_list(*seen_);
  list staying;
  list unloaded = last_->unloaded();
  for (const auto& old : last_->loaded()) {
    if (has_equal(now, *old) || may_be_there(*old, now, *seen_))
      staying.push_back(old);
    else
      add_unloaded(unloaded, unknown_at(old->extent));
  }
  if (staying.size() == last_->loaded().size()) return last_;  // who is new only is unknown anyway
  for (const module& each : now) {
    const bool was_there = std::any_of(last_->loaded().begin(), last_->loaded().end(),
                                       [&](const auto& old) { return *old == each; });
    if (!was_there) add_unloaded(unloaded, unknown_at(each.extent));
  }
  last_ = std::make_shared<const module_table>(std::move(staying), std::move(unloaded));
  return last_;
}

shared_modules read_modules() {
  return module_reader{}.read();
}

}  // namespace gmr::os
