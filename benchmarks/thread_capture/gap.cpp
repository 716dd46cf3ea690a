// For how long a thread is away while it is captured, by its own clock.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "thread_capture.hpp"

namespace thread_capture {

namespace {

using gmr::capture::thread_capturer;

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
  watch_gap(state, [&](pid_t) { capture_all(capturer); });
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

}  // namespace

}  // namespace thread_capture
