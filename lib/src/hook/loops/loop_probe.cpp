// What is done to an event loop of the service's: it is told of its end, and a handler of ours is
// put at the front of its queue, to see how soon a thread of the loop runs what is ready. Front,
// since a loop that is merely behind with its work has not stalled.
//
// Compiled twice, as are all sources that use Asio's operations: see docs/architecture.md.
#include <pthread.h>

#include <array>
#include <boost/asio/detail/scheduler_operation.hpp>
#include <boost/asio/execution_context.hpp>
#include <ctime>
#include <memory>
#include <mutex>

#include "gmr/detail/hook/asio_units.hpp"
#include "hook/asio_members.hpp"
#include "hook/library_copies.hpp"
#include "hook/loops/event_loops.hpp"
#include "os/fork.hpp"

namespace gmr::trace {
namespace {

namespace asio = boost::asio;
using asio_scheduler = asio_members::scheduler;
using operation_queue = asio::detail::op_queue<asio_scheduler::operation>;

std::uint64_t precise_now() noexcept {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(now.tv_nsec);
}

class probe final : public asio::detail::scheduler_operation {
 public:
  explicit probe(event_loop_record& loop) noexcept
      : scheduler_operation(&probe::run), loop_(&loop) {}

 private:
  // On a thread of the loop; without an owner: on the one that destroys it, and the loop with it.
  static void run(void* owner, scheduler_operation* base, const boost::system::error_code&,
                  std::size_t) noexcept;

  event_loop_record* loop_;
};

// All loops, with their probes, which belong to the places in the table and are never freed.
class loop_table final {
 public:
  event_loop_record* add(void* key) noexcept;
  void end(const void* context) noexcept;
  void free_when_ended(event_loop_record& loop) noexcept;
  bool post(event_loop_record& loop, std::uint64_t now) noexcept;

  [[nodiscard]] event_loop_record& at(std::size_t index) noexcept { return loops_[index]; }
  [[nodiscard]] event_loop_notes& notes() noexcept { return notes_; }

  // Around a fork: the child must not inherit the lock from another thread.
  void lock() noexcept { mutex_.lock(); }
  void unlock() noexcept { mutex_.unlock(); }
  // The threads that stall there are the parent's.
  void begin_anew_in_child() noexcept {
    for (event_loop_record& each : loops_)
      each.stalled.store(0);
    unlock();
  }

 private:
  event_loop_record* find(const void* key) noexcept;
  event_loop_record* claim(void* key, const void* context);
  void free(event_loop_record& loop) noexcept;

  std::array<event_loop_record, most_event_loops> loops_{};
  std::array<probe*, most_event_loops> probes_{};
  event_loop_notes notes_;
  // Held while a probe is posted, and when a loop comes or ends: so it does not end meanwhile.
  std::mutex mutex_;
};

constinit loop_table all_loops;

constexpr os::fork_actions loops_when_forked{
    .before = []() noexcept { all_loops.lock(); },
    .in_parent = []() noexcept { all_loops.unlock(); },
    .in_child = []() noexcept { all_loops.begin_anew_in_child(); },
};
const bool loops_know_of_forks = os::on_fork(os::fork_place::event_loops, loops_when_forked);

void probe::run(void* owner, scheduler_operation* base, const boost::system::error_code&,
                std::size_t) noexcept {
  event_loop_record& loop = *static_cast<probe*>(base)->loop_;
  if (owner != nullptr) {
    const std::uint64_t now = precise_now();
    const std::uint64_t posted = loop.posted.load(std::memory_order_relaxed);
    loop.delay.store(now > posted ? now - posted : 0, std::memory_order_relaxed);
    note_loop_thread(loop, now);
  }
  loop.posted.store(0);
  loop.stalled.store(0);  // the thread that watches loops may be gone
  if (loop.has_ended.load()) all_loops.free_when_ended(loop);
}

// Lives in a context of the service's, and tells when that goes.
class end_of_loop final : public asio::detail::execution_context_service_base<end_of_loop> {
 public:
  explicit end_of_loop(asio::execution_context& context)
      : asio::detail::execution_context_service_base<end_of_loop>(context), context_(&context) {}
  ~end_of_loop() override { all_loops.end(context_); }
  end_of_loop(const end_of_loop&) = delete;
  end_of_loop& operator=(const end_of_loop&) = delete;

 private:
  void shutdown() override { all_loops.end(context_); }

  const asio::execution_context* context_;
};

event_loop_record* loop_table::find(const void* key) noexcept {
  for (event_loop_record& each : loops_)
    if (each.scheduler.load(std::memory_order_acquire) == key && !each.has_ended.load())
      return &each;
  return nullptr;
}

event_loop_record* loop_table::claim(void* key, const void* context) {
  const std::lock_guard guard{mutex_};
  if (event_loop_record* const known = find(key)) return known;
  for (std::size_t at = 0; at < most_event_loops; ++at) {
    event_loop_record& each = loops_[at];
    if (each.scheduler.load(std::memory_order_relaxed) != nullptr) continue;
    if (probes_[at] == nullptr) probes_[at] = std::make_unique<probe>(each).release();
    each.context.store(context, std::memory_order_relaxed);
    each.serial.fetch_add(1, std::memory_order_relaxed);
    each.scheduler.store(key, std::memory_order_release);
    notes_.changes.fetch_add(1, std::memory_order_release);
    return &each;
  }
  return nullptr;
}

event_loop_record* loop_table::add(void* key) noexcept try {
  if (event_loop_record* const known = find(key)) return known;
  auto& owner = static_cast<asio_scheduler&>(*static_cast<asio::detail::thread_context*>(key));
  asio::execution_context& context = owner.context();
  event_loop_record* const loop = claim(key, &context);
  if (loop == nullptr) return nullptr;
  try {
    static_cast<void>(asio::use_service<end_of_loop>(context));
  } catch (...) {  // nobody would tell when it goes
    end(&context);
    return nullptr;
  }
  return loop;
} catch (...) {
  return nullptr;
}

void loop_table::end(const void* context) noexcept {
  const std::lock_guard guard{mutex_};
  for (event_loop_record& each : loops_) {
    if (each.scheduler.load() == nullptr || each.context.load() != context) continue;
    each.has_ended.store(true);
    if (each.posted.load() == 0) free(each);
  }
}

void loop_table::free_when_ended(event_loop_record& loop) noexcept {
  const std::lock_guard guard{mutex_};
  if (loop.has_ended.load() && loop.posted.load() == 0) free(loop);
}

// With the lock held.
void loop_table::free(event_loop_record& loop) noexcept {
  for (std::atomic<bool>* each : {&loop.is_traced, &loop.is_measured})
    each->store(false, std::memory_order_relaxed);
  for (std::atomic<std::uint64_t>* each : {&loop.delay, &loop.worst, &loop.stalled})
    each->store(0, std::memory_order_relaxed);
  loop.watchers.store(0, std::memory_order_relaxed);
  loop.queued.store(0, std::memory_order_relaxed);
  for (loop_thread& each : loop.threads) {
    each.tid.store(0, std::memory_order_relaxed);
    each.seen.store(0, std::memory_order_relaxed);
  }
  set_name(loop, {});
  notes_.changes.fetch_add(1, std::memory_order_release);
  loop.has_ended.store(false);
  loop.scheduler.store(nullptr, std::memory_order_release);
}

#if GMR_LOOP_HAS_LOCK
// Handlers that are ready, up to a number that takes no time to count.
std::uint32_t count_handlers(operation_queue& queue,
                             const asio_scheduler::operation* task) noexcept {
  constexpr std::uint32_t most = 1000;
  std::uint32_t count = 0;
  for (asio_scheduler::operation* each = queue.front(); each != nullptr && count < most;
       each = asio::detail::op_queue_access::next(each))
    if (each != task) ++count;
  return count;
}

// A loop whose lock is not free is at work, or its thread can't be helped: then not now. A loop
// without locks must not be touched by other threads.
bool loop_table::post(event_loop_record& loop, std::uint64_t now) noexcept {
  const std::lock_guard guard{mutex_};
  void* const key = loop.scheduler.load();
  if (key == nullptr || loop.has_ended.load() || loop.posted.load() != 0) return false;
  auto& owner = static_cast<asio_scheduler&>(*static_cast<asio::detail::thread_context*>(key));
  using asio::detail::conditionally_enabled_mutex;
  conditionally_enabled_mutex& mutex = owner.*found(asio_members::lock_of_scheduler{});
  if (!mutex.enabled()) return false;
  pthread_mutex_t& lock =
      mutex.*found(asio_members::lock_if_enabled{}).*found(asio_members::lock_of_system{});
  if (::pthread_mutex_trylock(&lock) != 0) return false;
  conditionally_enabled_mutex::scoped_lock held{
      mutex, conditionally_enabled_mutex::scoped_lock::adopt_lock};
  if (owner.*found(asio_members::is_stopped{})) return false;
  operation_queue& queue = owner.*found(asio_members::ready_handlers{});
  loop.queued.store(count_handlers(queue, &(owner.*found(asio_members::handler_for_reactor{}))),
                    std::memory_order_relaxed);
  loop.posted.store(now);
  loop.is_measured.store(true, std::memory_order_relaxed);
  owner.work_started();
  operation_queue others;
  others.push(queue);
  queue.push(probes_[static_cast<std::size_t>(&loop - loops_.data())]);
  queue.push(others);
  (owner.*found(asio_members::wake_one_and_unlock{}))(held);
  return true;
}
#else
bool loop_table::post(event_loop_record&, std::uint64_t) noexcept {
  return false;
}
#endif

}  // namespace

namespace own {

event_loop_record* add_event_loop(void* scheduler) noexcept {
  return all_loops.add(scheduler);
}

bool post_probe(event_loop_record& loop, std::uint64_t now) noexcept {
  return all_loops.post(loop, now);
}

event_loop_record& event_loop_at(std::size_t index) noexcept {
  return all_loops.at(index);
}

event_loop_notes& notes_of_event_loops() noexcept {
  return all_loops.notes();
}

}  // namespace own

event_loop_record* event_loop_of(asio::execution_context& context) {
  if (!asio::has_service<asio_scheduler>(context)) return nullptr;
  return add_event_loop(
      static_cast<asio::detail::thread_context*>(&asio::use_service<asio_scheduler>(context)));
}

}  // namespace gmr::trace
