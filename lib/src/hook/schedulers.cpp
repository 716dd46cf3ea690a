// The list of registered schedulers.
#include "hook/schedulers.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <new>
#include <vector>

#include "hook/library_copies.hpp"
#include "os/fork.hpp"

namespace gmr {

struct registered_scheduler {
  scheduler* source = nullptr;
  trace::portioned_scheduler* portioned = nullptr;  // the same; null when it is not one of ours
};

struct scheduler_list {
  std::mutex mutex;
  std::vector<registered_scheduler> schedulers;
};

namespace {

constexpr os::fork_actions schedulers_when_forked{
    .in_child = []() noexcept { new (&trace::own::registered_schedulers().mutex) std::mutex; }};

// Of the copy that serves.
scheduler_list& registered() {
  return trace::serving_copy().functions->registered_schedulers();
}

}  // namespace

// Never destroyed: sources unregister from static destructors, in whatever order those run.
scheduler_list& trace::own::registered_schedulers() {
  static auto* const list = [] {
    // A report that was being made holds the lock for as long as it lists: no fork waits for that,
    // and its child, where that thread is not, has the lock anew.
    os::on_fork(os::fork_place::schedulers, schedulers_when_forked);
    return new scheduler_list;
  }();
  return *list;
}

scheduler_registration register_scheduler(scheduler& source) {
  scheduler_list& list = registered();
  const std::lock_guard lock{list.mutex};
  list.schedulers.push_back({&source, nullptr});
  return scheduler_registration{&source};
}

scheduler_registration::~scheduler_registration() {
  if (registered_ == nullptr) return;
  scheduler_list& list = registered();
  const std::lock_guard lock{list.mutex};
  std::erase_if(list.schedulers,
                [this](const registered_scheduler& each) { return each.source == registered_; });
}

std::uint64_t next_green_thread_id() noexcept {
  return trace::reserve_green_thread_ids(1);
}

namespace trace {

std::uint64_t own::reserve_green_thread_ids(std::uint64_t count) noexcept {
  static constinit std::atomic<std::uint64_t> last{0};
  return last.fetch_add(count, std::memory_order_relaxed) + 1;
}

scheduler_registration register_portioned(portioned_scheduler& source) {
  scheduler_registration registration = register_scheduler(source);
  scheduler_list& list = registered();
  const std::lock_guard lock{list.mutex};
  for (registered_scheduler& each : list.schedulers)
    if (each.source == &source) each.portioned = &source;
  return registration;
}

void portioned_scheduler::list(green_thread_visitor& visitor) {
  green_thread_list portion;
  for (std::optional<place> at = place{}; at;) {
    at = list_some(portion, *at);
    for (const green_thread_view& view : portion.views())
      visitor.visit(view);
    portion.clear();
  }
}

listing::listing() : registered_(registered().mutex) {}

const scheduler* listing::next_scheduler() {
  const auto& all = registered().schedulers;
  if (following_ == all.size()) return nullptr;
  begin_again();
  return all[following_++].source;
}

void listing::begin_again() noexcept {
  place_ = portioned_scheduler::place{};
}

std::span<const green_thread_view> listing::next() {
  failure_.clear();
  portion_.clear();
  try {
    while (place_ && portion_.size() == 0)
      list_more();
  } catch (const std::exception& error) {
    failure_ = error.what();
    place_.reset();
  } catch (...) {
    failure_ = "unknown exception";
    place_.reset();
  }
  return portion_.views();
}

void listing::list_more() {
  const registered_scheduler& listed = registered().schedulers[following_ - 1];
  if (listed.portioned != nullptr) {
    place_ = listed.portioned->list_some(portion_, *place_);
  } else {
    listed.source->list(portion_);
    place_.reset();
  }
}

void for_each_scheduler(const std::function<void(scheduler&)>& use) {
  scheduler_list& list = registered();
  const std::lock_guard lock{list.mutex};
  for (const registered_scheduler& each : list.schedulers)
    use(*each.source);
}

}  // namespace trace
}  // namespace gmr
