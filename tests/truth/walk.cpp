#include "walk.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <memory>

namespace truth {
namespace {

constexpr int deepest = 25;

void plain(green_thread& me, int depth) {
  const frame here{me, "truth::plain"};
  walk(here.at(me), depth - 1);
}

// Two lines of the same function.
void twice(green_thread& me, int depth) {
  const frame here{me, "truth::twice"};
  walk(here.at(me), depth - 1);
  walk(here.at(me), depth - 2);
}

template <int Number>
int numbered(green_thread& me, int depth) {
  const frame here{me, "truth::numbered"};
  if constexpr (Number > 0)
    return numbered<Number - 1>(here.at(me), depth) + 1;
  else
    walk(here.at(me), depth - 2);
  return 0;
}

[[gnu::always_inline]] inline void always_inlined(green_thread& me, int depth) {
  const frame here{me, "truth::always_inlined"};
  walk(here.at(me), depth - 1);
}

[[gnu::always_inline]] inline void inlined_twice(green_thread& me, int depth) {
  const frame here{me, "truth::inlined_twice"};
  always_inlined(here.at(me), depth - 1);
  always_inlined(here.at(me), depth - 2);
}

[[gnu::noinline]] void calls_inlined(green_thread& me, int depth) {
  const frame here{me, "truth::calls_inlined"};
  inlined_twice(here.at(me), depth);
}

struct shape {
  shape() = default;
  shape(const shape&) = delete;
  shape& operator=(const shape&) = delete;
  virtual ~shape() = default;
  virtual void draw(green_thread& me, int depth) const = 0;
};

struct circle final : shape {
  void draw(green_thread& me, int depth) const override {
    const frame here{me, "truth::circle::draw"};
    walk(here.at(me), depth - 1);
  }
};

struct square final : shape {
  void draw(green_thread& me, int depth) const override {
    const frame here{me, "truth::square::draw"};
    walk(here.at(me), depth - 1);
  }
};

void virtual_call(green_thread& me, int depth) {
  const frame here{me, "truth::virtual_call"};
  std::unique_ptr<shape> any;
  if (me.any(2) == 0)
    any = std::make_unique<circle>();
  else
    any = std::make_unique<square>();
  any->draw(here.at(me), depth);
}

void with_lambda(green_thread& me, int depth) {
  const frame outer{me, "truth::with_lambda"};
  const auto inner = [&me](int left) {
    const frame here{me, "truth::with_lambda::{lambda}"};
    walk(here.at(me), left);
  };
  inner(outer.at(depth) - 1);
}

// Frames of the standard library in between.
void through_algorithm(green_thread& me, int depth) {
  const frame outer{me, "truth::through_algorithm"};
  const std::array<int, 2> values{depth - 1, depth - 2};
  const auto call = [&me](int left) {
    const frame here{me, "truth::through_algorithm::{lambda}"};
    walk(here.at(me), left);
  };
  std::for_each(outer.at(values).begin(), values.end(), call);
}

void with_alloca(green_thread& me, int depth) {
  const frame here{me, "truth::with_alloca"};
  const std::size_t size = static_cast<std::size_t>(me.any(300)) + 1;
  char* const memory = static_cast<char*>(__builtin_alloca(size));
  std::memset(memory, 1, size);
  walk(here.at(me), depth - 1);
  if (memory[size - 1] != 1) throw gave_up{};
}

void realigned(green_thread& me, int depth) {
  const frame here{me, "truth::realigned"};
  alignas(64) volatile char buffer[64] = {};
  walk(here.at(me), depth - 1 - buffer[0]);
}

// Arguments on the stack, and all registers in use.
int many_arguments(green_thread& me, int depth, int a, int b, int c, int d, int e, int f, int g) {
  const frame here{me, "truth::many_arguments"};
  walk(here.at(me), depth - 1);
  return a * b + c * d + e * f + g;
}

void calls_many(green_thread& me, int depth) {
  const frame here{me, "truth::calls_many"};
  const int sum = many_arguments(here.at(me), depth, me.any(3), 2, me.any(5), 4, 5, 6, 7);
  if (sum < 0) throw gave_up{};
}

struct holder {
  green_thread& me;
  int depth;

  explicit holder(green_thread& of, int left) : me(of), depth(left) {
    const frame here{me, "truth::holder::holder"};
    walk(here.at(me), depth - 1);
  }
  holder(const holder&) = delete;
  holder& operator=(const holder&) = delete;
  ~holder() {
    try {
      const frame here{me, "truth::holder::~holder"};
      walk(here.at(me), depth - 1);
    } catch (const gave_up&) {
    }
  }
};

// Compilers give the call of a destructor the line of the object or that of the closing brace.
// clang-format off
void constructs(green_thread& me, int depth) {
  const frame here{me, "truth::constructs"};
  { const holder held{here.at(me), depth}; }
}
// clang-format on

void calls_operator(green_thread& me, int depth) {
  const frame here{me, "truth::calls_operator"};
  struct quiet {
    green_thread& me;
    int operator()(int left) const {
      const frame inner{me, "truth::calls_operator::quiet::operator()"};
      walk(inner.at(me), left - 1);
      return left;
    }
  };
  const quiet call{me};
  if (call(here.at(depth)) < -99) throw gave_up{};
}

// Not to be waited in for a while only: the exceptions of a thread are handled in order.
void catches(green_thread& me, int depth) {
  const frame here{me, "truth::catches"};
  try {
    walk(here.at(me), depth - 1);
  } catch (const gave_up&) {
    me.visits = 0;
    walk(here.at(me), depth - 1);
  }
}

struct last_wish {
  green_thread& me;
  int depth;
  int thrown = std::uncaught_exceptions();

  last_wish(green_thread& of, int left) : me(of), depth(left) {}
  last_wish(const last_wish&) = delete;
  last_wish& operator=(const last_wish&) = delete;
  // While an exception is on its way.
  ~last_wish() {
    if (std::uncaught_exceptions() == thrown) return;
    const frame here{me, "truth::last_wish::~last_wish"};
    me.visits = 0;
    walk(here.at(me), depth - 1);
  }
};

// clang-format off
void unwinds(green_thread& me, int depth) {
  const frame here{me, "truth::unwinds"};
  { const last_wish wish{me, depth}; walk(here.at(me), depth - 1); }
}
// clang-format on

[[gnu::cold]] void rarely(green_thread& me, int depth) noexcept(false) {
  const frame here{me, "truth::rarely"};
  walk(here.at(me), depth - 1);
}

struct table {
  void first(green_thread& me, int depth) const {
    const frame here{me, "truth::table::first"};
    walk(here.at(me), depth - 1);
  }
  static void second(green_thread& me, int depth) {
    const frame here{me, "truth::table::second"};
    walk(here.at(me), depth - 1);
  }
};

void through_pointers(green_thread& me, int depth) {
  const frame here{me, "truth::through_pointers"};
  const table all;
  void (table::* const method)(green_thread&, int) const = &table::first;
  void (*volatile function)(green_thread&, int) = &table::second;
  if (me.any(2) == 0)
    (all.*method)(here.at(me), depth);
  else
    function(here.at(me), depth);
}

void wait(green_thread& me) {
  const frame here{me, "truth::wait"};
  me.suspend(here.at(me));
}

}  // namespace

void walk(green_thread& me, int depth) {
  const frame here{me, "truth::walk"};
  if (depth <= 0) return wait(here.at(me));
  switch (me.any(16)) {
    case 0:
      return plain(here.at(me), depth);
    case 1:
      return twice(here.at(me), depth);
    case 2:
      static_cast<void>(numbered<2>(here.at(me), depth));
      return;
    case 3:
      return calls_inlined(here.at(me), depth);
    case 4:
      return virtual_call(here.at(me), depth);
    case 5:
      return with_lambda(here.at(me), depth);
    case 6:
      return through_algorithm(here.at(me), depth);
    case 7:
      return with_alloca(here.at(me), depth);
    case 8:
      return realigned(here.at(me), depth);
    case 9:
      return calls_many(here.at(me), depth);
    case 10:
      return constructs(here.at(me), depth);
    case 11:
      return calls_operator(here.at(me), depth);
    case 12:
      return catches(here.at(me), depth);
    case 13:
      return unwinds(here.at(me), depth);
    case 14:
      return rarely(here.at(me), depth);
    default:
      return through_pointers(here.at(me), depth);
  }
}

void walk_on(green_thread& me) {
  const frame here{me, "truth::walk_on"};
  while (true) {
    const int depth = me.any(deepest);
    try {
      walk(here.at(me), depth);
    } catch (const gave_up&) {
    }
  }
}

void perhaps_give_up(green_thread& me) {
  if (me.any(3) == 0) throw gave_up{};
}

}  // namespace truth
