// What a program knows of its own stacks: each function that is part of the truth says its name
// when it begins and its line before each call or suspension.
//
//   void descend(green_thread& me, int depth) {
//     const frame here{me, "truth::descend"};
//     descend(here.at(me), depth - 1);  // on one line: that is the line reports have to show
//   }
//
// Frames link themselves to a list that lies on the stack it describes. A green thread's record is
// written only by whoever runs it, and read when all stand still.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <source_location>
#include <string>
#include <string_view>

namespace truth {

class frame;

struct green_thread {
  std::string name;  // by which the report knows it, too
  std::string kind;  // fiber or coroutine; thread: the stack of an OS thread
  std::string state = "suspended";
  std::string waits_for{};  // empty: not compared
  std::string parent{};  // name of the one that awaits or resumed it; empty: none, for coroutines
  int thread = 0;        // that runs it; 0: none
  std::minstd_rand random{};
  int visits = 0;  // so often it waits in vain before it parks
  // How the innermost function of a fiber waits: returns at once, until it has parked.
  std::function<void(green_thread&)> suspend{};
  const frame* innermost = nullptr;

  // From 0 to below - 1.
  int any(int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); }
  // Before a wait: whether it is the one that never ends.
  bool parks() { return visits-- <= 0; }
  [[nodiscard]] bool has_parked() const { return visits < 0; }
};

class frame final {
 public:
  frame(green_thread& me, const char* function,
        std::source_location here = std::source_location::current())
      : me_(me), function_(function), file_(here.file_name()), caller_(me.innermost) {
    me.innermost = this;
  }
  ~frame() { me_.innermost = caller_; }
  frame(const frame&) = delete;
  frame& operator=(const frame&) = delete;

  // What is called or awaited on this line goes on from here.
  template <class Argument>
  Argument&& at(Argument&& argument,
                std::source_location here = std::source_location::current()) const {
    line_ = here.line();
    return static_cast<Argument&&>(argument);
  }

  // Where the line can't say it itself.
  void goes_on_at(std::uint32_t line) const { line_ = line; }

  [[nodiscard]] const char* function() const { return function_; }
  [[nodiscard]] const char* file() const { return file_; }
  [[nodiscard]] std::uint32_t line() const { return line_; }
  [[nodiscard]] const frame* caller() const { return caller_; }

 private:
  green_thread& me_;
  const char* function_;
  const char* file_;
  mutable std::uint32_t line_ = 0;
  const frame* caller_;
};

// One that belongs to a library, which neither names it nor counts as parked.
inline constexpr std::string_view unnamed = "unnamed";

// A record that lives for ever, with a name and randomness of its own. Safe to call from any
// thread.
green_thread& new_green_thread(std::string_view kind, std::string_view what);
// Of all randomness; before the first record.
void set_seed(unsigned seed);

// Once for each of them, just before the wait that never ends.
void count_parked();
[[nodiscard]] bool all_have_parked();

// All of them as JSON: {"seed": N, "green_threads": [{...}]}. When nothing runs any more.
void print_truth();

}  // namespace truth
