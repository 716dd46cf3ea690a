// What capturing threads costs: them, and the reporter. Beside each figure the same with unwinding
// in the signal handler: not safe, and here only because nothing throws or loads libraries.
//   thread_capture --benchmark_repetitions=5 --benchmark_report_aggregates_only=true
#include <benchmark/benchmark.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "capture/capture_handler.hpp"
#include "capture/slot_pool.hpp"
#include "capture/thread_capturer.hpp"
#include "gmr/trace/enroll.hpp"
#include "symbolize/symbolizer.hpp"
#include "unwind/unwinder.hpp"

namespace {

using gmr::capture::slot_pool;
using gmr::capture::thread_capture_settings;
using gmr::capture::thread_capturer;

// Without the 50 ms for which a busy thread is watched.
thread_capture_settings without_watching() {
  thread_capture_settings out;
  out.busy_window = std::chrono::milliseconds{0};
  return out;
}

// Frames as ordinary code has them, until so much of the stack is in use.
[[gnu::noinline]] void descend(std::uintptr_t until, const std::function<void()>& there) {
  volatile char locals[96];
  locals[0] = 1;
  if (reinterpret_cast<std::uintptr_t>(&locals) <= until)
    there();
  else
    descend(until, there);
  asm volatile("" : : "r"(locals) : "memory");
}

// Runs `there` on a thread of its own, with `bytes` of its stack in use.
void at_depth(std::size_t bytes, bool enrolled, const std::function<void()>& there) {
  std::thread{[&] {
    if (enrolled) gmr::enroll_this_thread();
    pthread_attr_t attributes;
    void* low = nullptr;
    std::size_t size = 0;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &low, &size);
    pthread_attr_destroy(&attributes);
    descend(reinterpret_cast<std::uintptr_t>(low) + size - bytes, there);
  }}.join();
}

// The peer.
struct walked {
  std::array<void*, 1024> frames;
  std::size_t count = 0;
};

_Unwind_Reason_Code take_frame(_Unwind_Context* context, void* argument) {
  auto& stack = *static_cast<walked*>(argument);
  if (stack.count == stack.frames.size()) return _URC_END_OF_STACK;
  stack.frames[stack.count++] = reinterpret_cast<void*>(_Unwind_GetIP(context));
  return _URC_NO_REASON;
}

void walk_here(walked& stack) {
  stack.count = 0;
  _Unwind_Backtrace(take_frame, &stack);
}

std::array<walked, 2048> walks;
std::atomic<std::size_t> walks_done;

void walking_handler(int, siginfo_t* info, void*) {
  walk_here(walks[static_cast<std::size_t>(info->si_value.sival_int)]);
  walks_done.fetch_add(1, std::memory_order_release);
}

int walking_signal() {
  static const int number = [] {
    struct sigaction action{};
    action.sa_sigaction = walking_handler;
    action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
    sigaction(SIGRTMAX, &action, nullptr);
    return SIGRTMAX;
  }();
  return number;
}

void walk_threads(const std::vector<pid_t>& threads) {
  walks_done = 0;
  for (std::size_t i = 0; i < threads.size(); ++i) {
    siginfo_t info{};
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_value.sival_int = static_cast<int>(i);
    syscall(SYS_rt_tgsigqueueinfo, getpid(), threads[i], walking_signal(), &info);
  }
  while (walks_done.load(std::memory_order_acquire) < threads.size())
    std::this_thread::yield();
}

// The body of the handler, called without a signal.
void handler_copies(benchmark::State& state, bool enrolled) {
  const thread_capturer owner{without_watching()};  // makes the handler know its process
  slot_pool& pool = slot_pool::instance();
  const std::uint32_t slot = *pool.acquire(65536 + 16384);
  at_depth(static_cast<std::size_t>(state.range(0)), enrolled, [&] {
    ucontext_t context;
    getcontext(&context);
    siginfo_t info{};
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    for ([[maybe_unused]] auto _ : state) {
      info.si_value.sival_ptr = reinterpret_cast<void*>(pool.arm(slot));
      gmr::capture::capture_handler(0, &info, &context);
    }
  });
  const auto& parts = pool.at(slot).parts;
  state.counters["copied_bytes"] = static_cast<double>(parts[0].size + parts[1].size);
  pool.release(slot);
}

void handler_copy(benchmark::State& state) {
  handler_copies(state, true);
}
void handler_copy_unenrolled(benchmark::State& state) {
  handler_copies(state, false);
}

void handler_unwind_peer(benchmark::State& state) {
  at_depth(static_cast<std::size_t>(state.range(0)), true, [&] {
    for ([[maybe_unused]] auto _ : state)
      walk_here(walks[0]);
  });
  state.counters["frames"] = static_cast<double>(walks[0].count);
}

BENCHMARK(handler_copy)->Arg(4096)->Arg(16384)->Arg(65536);
BENCHMARK(handler_copy_unenrolled)->Arg(4096)->Arg(16384)->Arg(65536);
BENCHMARK(handler_unwind_peer)->Arg(4096)->Arg(16384)->Arg(65536);

// A thread that watches its own clock for the longest time it was away.
class watcher {
 public:
  explicit watcher(std::size_t bytes) {
    thread_ = std::thread{[this, bytes] {
      at_depth(bytes, true, [this] {
        id_ = gettid();
        watch();
      });
    }};
    while (id_ == 0)
      std::this_thread::yield();
  }
  ~watcher() {
    stop_ = true;
    thread_.join();
  }
  watcher(const watcher&) = delete;
  watcher& operator=(const watcher&) = delete;

  [[nodiscard]] pid_t id() const { return id_; }
  void forget() { longest_.store(0, std::memory_order_relaxed); }
  [[nodiscard]] double longest_us() const {
    return static_cast<double>(longest_.load(std::memory_order_relaxed)) * 1e-3;
  }

 private:
  static std::int64_t now() { return std::chrono::steady_clock::now().time_since_epoch().count(); }
  void watch() {
    std::int64_t last = now();
    while (!stop_.load(std::memory_order_relaxed)) {
      const std::int64_t at = now();
      if (at - last > longest_.load(std::memory_order_relaxed))
        longest_.store(at - last, std::memory_order_relaxed);
      last = at;
    }
  }

  std::atomic<pid_t> id_ = 0;
  std::atomic<bool> stop_ = false;
  std::atomic<std::int64_t> longest_ = 0;
  std::thread thread_;
};

// Repeats `act` and reports the median and the 90th percentile of the longest gap meanwhile.
template <class Act>
void watch_gap(benchmark::State& state, Act act) {
  watcher seen{static_cast<std::size_t>(state.range(0))};
  std::vector<double> gaps;
  for ([[maybe_unused]] auto _ : state) {
    seen.forget();
    act(seen.id());
    gaps.push_back(seen.longest_us());
  }
  std::sort(gaps.begin(), gaps.end());
  state.counters["gap_us_median"] = gaps[gaps.size() / 2];
  state.counters["gap_us_p90"] = gaps[gaps.size() * 9 / 10];
}

void gap_capture(benchmark::State& state) {
  thread_capturer capturer{without_watching()};
  watch_gap(state, [&](pid_t) { benchmark::DoNotOptimize(capturer.capture()); });
}

void gap_unwind_peer(benchmark::State& state) {
  watch_gap(state, [&](pid_t id) { walk_threads({id}); });
}

// What other processes do to it in as much time.
void gap_of_nothing(benchmark::State& state) {
  watch_gap(state, [&](pid_t) {
    using clock = std::chrono::steady_clock;
    for (const auto end = clock::now() + std::chrono::microseconds{100}; clock::now() < end;) {
    }
  });
}

BENCHMARK(gap_capture)->Arg(4096)->Arg(16384)->Arg(65536)->Unit(benchmark::kMicrosecond);
BENCHMARK(gap_unwind_peer)->Arg(4096)->Arg(16384)->Arg(65536)->Unit(benchmark::kMicrosecond);
BENCHMARK(gap_of_nothing)->Arg(4096)->Unit(benchmark::kMicrosecond);

// Threads that wait for a turn, ten frames deep, like those of a pool.
class pool_of_threads {
 public:
  explicit pool_of_threads(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      threads_.emplace_back([this] {
        {
          const std::lock_guard lock{mutex_};
          ids_.push_back(gettid());
        }
        work(8);
      });
    settle();
  }
  ~pool_of_threads() {
    wake(-1);
    for (std::thread& each : threads_)
      each.join();
  }
  pool_of_threads(const pool_of_threads&) = delete;
  pool_of_threads& operator=(const pool_of_threads&) = delete;

  // Lets each of them run for a moment.
  void stir() {
    wake(turn_ + 1);
    settle();
  }
  [[nodiscard]] const std::vector<pid_t>& ids() const { return ids_; }

 private:
  [[gnu::noinline]] void work(int depth) {
    volatile char locals[64];
    locals[0] = 1;
    if (depth > 0)
      work(depth - 1);
    else
      wait_for_turns();
    asm volatile("" : : "r"(locals) : "memory");
  }
  void wait_for_turns() {
    std::unique_lock lock{mutex_};
    for (int seen = 0; turn_ >= 0; seen = turn_) {
      ++waiting_;
      changed_.wait(lock, [&] { return turn_ != seen; });
    }
  }
  void wake(int turn) {
    const std::lock_guard lock{mutex_};
    waiting_ = 0;
    turn_ = turn;
    changed_.notify_all();
  }
  void settle() {
    for (;;) {
      {
        const std::lock_guard lock{mutex_};
        if (waiting_ == threads_.size()) break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t waiting_ = 0;
  int turn_ = 0;
  std::vector<pid_t> ids_;
  std::vector<std::thread> threads_;
};

// The stages of a report that concern threads.
class stages {
 public:
  explicit stages(bool signal_all) : capturer_(settings(signal_all)) {}
  std::size_t run() {
    unwinder_.refresh();
    symbolizer_.refresh();
    std::size_t frames = 0;
    for (const gmr::capture::thread_snapshot& each : capturer_.capture()) {
      if (each.outcome != gmr::capture_outcome::ok) continue;
      unwinder_.unwind(each.stack, raw_);
      frames += symbolizer_.resolve(raw_).frames.size();
    }
    return frames;
  }

 private:
  thread_capture_settings settings(bool signal_all) {
    thread_capture_settings out = without_watching();
    if (signal_all) return out;
    out.exact = [this](const gmr::capture::stack_snapshot& snapshot) {
      unwinder_.unwind(snapshot, raw_);
      return raw_.exact && !raw_.truncated && raw_.frames.size() > 1;
    };
    return out;
  }

  gmr::unwind::unwinder unwinder_;
  gmr::unwind::raw_stack raw_;
  gmr::symbolize::symbolizer symbolizer_;
  thread_capturer capturer_;
};

enum class between { nothing, stir };

void all_threads(benchmark::State& state, bool signal_all, bool cold, between what) {
  pool_of_threads threads{static_cast<std::size_t>(state.range(0))};
  std::optional<stages> made;
  if (!cold) benchmark::DoNotOptimize(made.emplace(signal_all).run());
  std::size_t frames = 0;
  for ([[maybe_unused]] auto _ : state) {
    if (what == between::stir) {
      state.PauseTiming();
      threads.stir();
      state.ResumeTiming();
    }
    if (cold) made.emplace(signal_all);
    frames = made->run();
    if (cold) {
      state.PauseTiming();
      made.reset();
      state.ResumeTiming();
    }
  }
  state.counters["frames"] = static_cast<double>(frames);
}

// Nobody has run since the last report.
void threads_unchanged(benchmark::State& state) {
  all_threads(state, false, false, between::nothing);
}
// All have, and wait again: each is read anew, without a signal.
void threads_warm(benchmark::State& state) {
  all_threads(state, false, false, between::stir);
}
// Each gets the signal.
void threads_signalled(benchmark::State& state) {
  all_threads(state, true, false, between::nothing);
}
// The first report: nothing is known of any module.
void threads_cold(benchmark::State& state) {
  all_threads(state, false, true, between::nothing);
}

// Program counters only, no names.
void threads_unwind_peer(benchmark::State& state) {
  pool_of_threads threads{static_cast<std::size_t>(state.range(0))};
  for ([[maybe_unused]] auto _ : state)
    walk_threads(threads.ids());
}

BENCHMARK(threads_unchanged)->Arg(1000)->Unit(benchmark::kMillisecond);
BENCHMARK(threads_warm)->Arg(1000)->Unit(benchmark::kMillisecond);
BENCHMARK(threads_signalled)->Arg(1000)->Unit(benchmark::kMillisecond);
BENCHMARK(threads_cold)->Arg(1000)->Unit(benchmark::kMillisecond);
BENCHMARK(threads_unwind_peer)->Arg(1000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
