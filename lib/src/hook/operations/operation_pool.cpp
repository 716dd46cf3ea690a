// See operation_pool.hpp. Each thread keeps some free records, so that the hot path takes no lock.
#include "hook/operations/operation_pool.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <mutex>

#include "hook/library_copies.hpp"
#include "os/fork.hpp"

namespace gmr::trace {

namespace {
constinit std::atomic<std::uint32_t> own_descriptor_uses[counted_descriptors]{};
}

constinit std::atomic<std::uint32_t>* descriptor_uses = own_descriptor_uses;
constinit thread_local this_thread_operations this_thread_starts;

namespace {

constexpr std::uint32_t batch = 64;  // goes between a thread and the common stock at once
constexpr std::uint32_t most_kept = 2 * batch;
constexpr std::size_t records_a_chunk = 4096;
constexpr std::size_t most_chunks = 16384;

constinit std::atomic<std::uint64_t> unrecorded{0};
constinit std::atomic<std::size_t> serving_count{0};
constinit serving_thread serving_threads[most_serving_threads];

operation_record* next_of(const operation_record& record) noexcept {
  return static_cast<operation_record*>(
      const_cast<void*>(record.owner.load(std::memory_order_relaxed)));
}

// The stock common to all threads.
class common_stock final {
 public:
  // A chain of at most `wanted` records.
  operation_record* take(std::uint32_t wanted, std::uint32_t& got) noexcept {
    const std::lock_guard guard{mutex_};
    operation_record* head = nullptr;
    for (got = 0; got < wanted; ++got) {
      operation_record* const record = free_ != nullptr ? take_used() : take_unused();
      if (record == nullptr) break;
      record->owner.store(head, std::memory_order_release);
      head = record;
    }
    return head;
  }

  void put(operation_record& record) noexcept {
    const std::lock_guard guard{mutex_};
    push(record);
  }

  // At most `count` from a thread's own.
  void put_some(this_thread_operations& own, std::uint32_t count) noexcept {
    const std::lock_guard guard{mutex_};
    for (; count > 0 && own.free != nullptr; --count, --own.free_count) {
      operation_record& record = *own.free;
      own.free = next_of(record);
      push(record);
    }
  }

  [[nodiscard]] std::size_t used() const noexcept { return used_.load(std::memory_order_acquire); }
  [[nodiscard]] const operation_record& at(std::size_t index) const noexcept {
    return chunks_[index / records_a_chunk].load(
        std::memory_order_acquire)[index % records_a_chunk];
  }

  // Around a fork: the child must not inherit the lock from another thread.
  void lock() noexcept { mutex_.lock(); }
  void unlock() noexcept { mutex_.unlock(); }

 private:
  void push(operation_record& record) noexcept {
    record.owner.store(free_, std::memory_order_release);
    free_ = &record;
  }

  operation_record* take_used() noexcept {
    operation_record* const record = free_;
    free_ = next_of(*record);
    return record;
  }

  operation_record* take_unused() noexcept {
    const std::size_t index = used_.load(std::memory_order_relaxed);
    std::atomic<operation_record*>* const chunk = &chunks_[index / records_a_chunk];
    if (index == records_a_chunk * most_chunks) return nullptr;
    if (index % records_a_chunk == 0 && chunk->load(std::memory_order_relaxed) == nullptr) {
      constexpr std::size_t size = records_a_chunk * sizeof(operation_record);
      void* const mapping =
          ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (mapping == MAP_FAILED) return nullptr;
      chunk->store(static_cast<operation_record*>(mapping), std::memory_order_release);
    }
    used_.store(index + 1, std::memory_order_release);
    return chunk->load(std::memory_order_relaxed) + index % records_a_chunk;
  }

  std::mutex mutex_;
  operation_record* free_ = nullptr;
  std::atomic<std::size_t> used_{0};
  std::array<std::atomic<operation_record*>, most_chunks> chunks_{};
};

constinit common_stock all_operations;

enum class thread_state : std::uint8_t { fresh, open, closed };
[[gnu::tls_model("initial-exec")]] constinit thread_local thread_state this_thread_state =
    thread_state::fresh;
[[gnu::tls_model("initial-exec")]] constinit thread_local serving_thread* own_place = nullptr;

// Gives everything back when the thread ends. Operations may still be started and end after that.
struct thread_guard {
  ~thread_guard() {
    this_thread_state = thread_state::closed;
    this_thread_starts.most_free = 0;
    all_operations.put_some(this_thread_starts, this_thread_starts.free_count);
    if (own_place == nullptr) return;
    own_place->context.store(nullptr, std::memory_order_relaxed);
    own_place->tid.store(0, std::memory_order_release);
    own_place = nullptr;
  }
};

// False when the thread is about to end.
bool open_thread() noexcept {
  if (this_thread_state != thread_state::fresh) return this_thread_state == thread_state::open;
  this_thread_state = thread_state::open;
  this_thread_starts.most_free = most_kept;
  [[maybe_unused]] static thread_local const thread_guard guard;
  return true;
}

serving_thread* take_place(pid_t tid) noexcept {
  for (std::size_t i = 0; i < most_serving_threads; ++i) {
    pid_t nobody = 0;
    if (!serving_threads[i].tid.compare_exchange_strong(nobody, tid)) continue;
    std::size_t count = serving_count.load(std::memory_order_relaxed);
    while (count <= i && !serving_count.compare_exchange_weak(count, i + 1)) {
    }
    return &serving_threads[i];
  }
  return nullptr;
}

// A forked child has one thread, with a new id.
void forget_other_threads() noexcept {
  all_operations.unlock();
  for (serving_thread& each : serving_threads)
    each.tid.store(0, std::memory_order_relaxed);
  own_place = nullptr;
  this_thread_starts.context = nullptr;
}

constexpr os::fork_actions operations_when_forked{
    .before = []() noexcept { all_operations.lock(); },
    .in_parent = []() noexcept { all_operations.unlock(); },
    .in_child = forget_other_threads,
};
const bool operations_know_of_forks =
    os::on_fork(os::fork_place::operations, operations_when_forked);

}  // namespace

namespace own {

// For this copy only where its own list is empty; other copies have none.
operation_record* take_common_operation_record() noexcept {
  const bool keep = open_thread();
  if (operation_record* const kept = this_thread_starts.free) {
    this_thread_starts.free = next_of(*kept);
    --this_thread_starts.free_count;
    return kept;
  }
  std::uint32_t got = 0;
  operation_record* const head = all_operations.take(keep ? batch : 1, got);
  if (head == nullptr) {
    unrecorded.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
  }
  this_thread_starts.free = next_of(*head);
  this_thread_starts.free_count = got - 1;
  return head;
}

void put_common_operation_records(operation_record& one_more) noexcept {
  if (!open_thread()) return all_operations.put(one_more);
  this_thread_operations& own = this_thread_starts;
  if (own.free_count >= own.most_free) all_operations.put_some(own, batch);
  one_more.owner.store(own.free, std::memory_order_release);
  own.free = &one_more;
  ++own.free_count;
}

void thread_serves(const void* context) noexcept {
  this_thread_starts.context = context;
  if (!open_thread()) return;
  if (own_place == nullptr) own_place = take_place(::gettid());
  if (own_place != nullptr) own_place->context.store(context, std::memory_order_relaxed);
}

std::size_t operation_record_count() noexcept {
  return all_operations.used();
}

const operation_record& operation_record_at(std::size_t index) noexcept {
  return all_operations.at(index);
}

std::uint64_t unrecorded_operations() noexcept {
  return unrecorded.load(std::memory_order_relaxed);
}

const serving_thread& serving_thread_at(std::size_t index) noexcept {
  return serving_threads[index];
}

std::size_t serving_thread_count() noexcept {
  return serving_count.load(std::memory_order_acquire);
}

std::atomic<std::uint32_t>* uses_of_descriptors() noexcept {
  return own_descriptor_uses;
}

}  // namespace own

}  // namespace gmr::trace
