// What a thousand threads cost the reporter, from the capture to the names of their frames.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "symbolize/symbolizer.hpp"
#include "thread_capture.hpp"
#include "unwind/thread_stacks.hpp"
#include "unwind/unwinder.hpp"

namespace thread_capture {

namespace {

using gmr::capture::thread_capturer;

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
  explicit stages(bool signal_all) : signal_all_(signal_all), capturer_(without_watching()) {}
  std::size_t run() {
    const gmr::os::shared_modules loaded = modules_.read();
    unwinder_.use(loaded);
    symbolizer_.use(loaded);
    gmr::unwind::thread_stacks stacks;
    const std::vector<gmr::capture::thread_snapshot>& threads = capturer_.capture_first();
    const std::vector<bool> none(threads.size());
    do {
      stacks.unwind_new(threads, unwinder_);
    } while (capturer_.capture_next(signal_all_ ? none : stacks.exact()));
    std::size_t frames = 0;
    for (std::size_t i = 0; i < threads.size(); ++i)
      if (threads[i].outcome == gmr::capture_outcome::ok)
        frames += symbolizer_.resolve(stacks.at(i)).frames.size();
    return frames;
  }

 private:
  const bool signal_all_;
  gmr::os::module_reader modules_;
  gmr::unwind::unwinder unwinder_{modules_.read()};
  gmr::symbolize::symbolizer symbolizer_{modules_.read()};
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

}  // namespace thread_capture
