// The list of registered schedulers.
#include "trace/schedulers.hpp"

#include <pthread.h>

#include <algorithm>
#include <mutex>
#include <new>
#include <vector>

namespace gmr {
namespace {

struct scheduler_list {
  std::mutex mutex;
  std::vector<scheduler*> schedulers;
};

// Never destroyed: sources unregister from static destructors, in whatever order those run.
scheduler_list& registered() {
  static auto* const list = [] {
    // A report that was being made holds the lock for as long as it lists: no fork waits for that,
    // and its child, where that thread is not, has the lock anew.
    pthread_atfork(nullptr, nullptr, [] { new (&registered().mutex) std::mutex; });
    return new scheduler_list;
  }();
  return *list;
}

}  // namespace

scheduler_registration register_scheduler(scheduler& source) {
  scheduler_list& list = registered();
  const std::lock_guard lock{list.mutex};
  list.schedulers.push_back(&source);
  return scheduler_registration{&source};
}

scheduler_registration::~scheduler_registration() {
  if (registered_ == nullptr) return;
  scheduler_list& list = registered();
  const std::lock_guard lock{list.mutex};
  std::erase(list.schedulers, registered_);
}

std::uint64_t next_green_thread_id() noexcept {
  return trace::reserve_green_thread_ids(1);
}

namespace trace {

std::uint64_t reserve_green_thread_ids(std::uint64_t count) noexcept {
  static constinit std::atomic<std::uint64_t> last{0};
  return last.fetch_add(count, std::memory_order_relaxed) + 1;
}

void for_each_scheduler(const std::function<void(scheduler&)>& use) {
  scheduler_list& list = registered();
  const std::lock_guard lock{list.mutex};
  for (scheduler* source : list.schedulers)
    use(*source);
}

}  // namespace trace
}  // namespace gmr
