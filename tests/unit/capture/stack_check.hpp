// Whether a captured stack is the one that the thread is known to have.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "capture/thread_capturer.hpp"
#include "symbolize/symbolizer.hpp"
#include "unwind/thread_stacks.hpp"
#include "unwind/unwinder.hpp"

namespace gmr::capture::testing {

// The frames that every thread under test has: what is further out than `repeat` is the same in
// each stack of a thread, and `repeat` calls nothing but `step`.
namespace known {

template <class Act>
[[gnu::noinline]] void step(Act& act) {
  act();
  asm volatile("" : : : "memory");  // no tail call
}

template <class Act>
[[gnu::noinline]] void repeat(Act& act, const std::atomic<bool>& stop,
                              std::atomic<std::uint64_t>& acts) {
  while (!stop.load(std::memory_order_relaxed)) {
    step(act);
    acts.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace known

// How often a hazard is to be captured: its share of GMR_HAZARD_CAPTURES, which is for all.
[[nodiscard]] int captures_of_a_hazard();

struct verdicts {
  int right = 0;
  int cut = 0;     // ends early, and says so
  int absent = 0;  // no stack: the outcome says why
  int wrong = 0;
  std::string first_wrong;
  std::map<std::string, int> reasons;           // of `cut` and `absent`
  std::map<std::string, std::string> examples;  // the first of each that is cut

  [[nodiscard]] int all() const { return right + cut + absent + wrong; }
};

// Captures, unwinds as the reporter does, and judges. One object a test.
class stack_checker {
 public:
  explicit stack_checker(thread_capture_settings settings);
  ~stack_checker();

  // One capture of all threads.
  const std::vector<thread_snapshot>& capture();
  // Judges the stack of one thread in the last capture. It must go from `innermost` callers up to
  // the start of the thread, or of the fiber, through `repeat`.
  void judge(pid_t thread);
  // Only whether calls return to each of its frames; what is wrong, or empty.
  [[nodiscard]] std::string find_impossible(pid_t thread);

  [[nodiscard]] const verdicts& result() const { return result_; }
  // Prints what was seen, for tests/hazards.sh.
  void print(std::string_view hazard) const;

 private:
  std::string fault(const stack& resolved, const unwind::raw_stack& raw);

  os::module_reader modules_;
  unwind::unwinder unwinder_{modules_.read()};
  symbolize::symbolizer symbolizer_{modules_.read()};
  unwind::thread_stacks stacks_;  // of the last capture
  std::unique_ptr<thread_capturer> capturer_;
  const std::vector<thread_snapshot>* threads_ = nullptr;
  // Program counters from `repeat` outwards, by the address in it; the first one is checked by
  // name.
  std::map<std::uintptr_t, std::vector<std::uintptr_t>> tails_;
  std::map<std::string, std::set<std::uint64_t>> plugin_calls_;  // by module
  verdicts result_;
};

}  // namespace gmr::capture::testing
