// A green thread that carries the truth about its own stack: the way it has gone, one letter for
// each call, is its name at every wait. Whoever sees it suspended can compare name and frames.
//
//   void descend(traveller& me, int depth) {
//     const step here{me, "torture::descend"};
//     if (depth > 0) return descend(here.at('a', me), depth - 1);  // on one line: what reports
//     show here.tell('b', __LINE__ + 1); wait();
//   }
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <random>
#include <source_location>
#include <string_view>

namespace torture {

constexpr std::size_t longest_way = 60;  // of what a name may have

class traveller final {
 public:
  traveller();
  traveller(const traveller&) = delete;
  traveller& operator=(const traveller&) = delete;

  // From 0 to below - 1.
  int any(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
  [[nodiscard]] bool is_far() const { return length_ >= longest_way - 4; }

 private:
  friend class step;
  std::minstd_rand random_;
  std::size_t length_ = 0;
  char way_[longest_way];
};

// The letters are unique in the program.
struct place {
  std::atomic<const char*> function{nullptr};
  std::atomic<std::uint32_t> line{0};
};
extern place places[128];

class step final {
 public:
  step(traveller& me, const char* function) : me_(me), function_(function), index_(me.length_++) {}
  ~step() { me_.length_ = index_; }
  step(const step&) = delete;
  step& operator=(const step&) = delete;

  // What is called or awaited on this line goes on from here.
  template <class Argument>
  Argument&& at(char letter, Argument&& argument,
                std::source_location here = std::source_location::current()) const {
    goes_on(letter, here.line());
    return static_cast<Argument&&>(argument);
  }

  // The wait is on that line, and the way is the name from now on.
  void tell(char letter, std::uint32_t line) const;

 private:
  void goes_on(char letter, std::uint32_t line) const {
    me_.way_[index_] = letter;
    place& known = places[static_cast<unsigned char>(letter)];
    if (known.function.load(std::memory_order_relaxed) != nullptr) return;
    known.line.store(line, std::memory_order_relaxed);
    known.function.store(function_, std::memory_order_release);
  }

  traveller& me_;
  const char* function_;
  std::size_t index_;
};

// What the green thread does from the end of its scope on is not told.
struct silence {
  ~silence();
};

// What a wait throws at times.
struct gave_up {};

}  // namespace torture
