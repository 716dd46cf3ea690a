#include "descend.hpp"

#include <algorithm>
#include <array>

namespace torture {
namespace {

// Not inlined: compilers merge calls that are the same but for the function they were written in.
void descend(traveller& me, waiting& how, int depth);

[[gnu::noinline]] void plain(traveller& me, waiting& how, int depth) {
  const step here{me, "torture::plain"};
  descend(here.at('a', me), how, depth - 1);
}

[[gnu::noinline]] void twice(traveller& me, waiting& how, int depth) {
  const step here{me, "torture::twice"};
  descend(here.at('b', me), how, depth - 2);
  descend(here.at('c', me), how, depth - 3);
}

template <int Number>
[[gnu::noinline]] void numbered(traveller& me, waiting& how, int depth) {
  const step here{me, "torture::numbered"};
  if constexpr (Number > 0)
    numbered<Number - 1>(here.at('d', me), how, depth - 1);
  else
    descend(here.at('e', me), how, depth - 1);
}

[[gnu::noinline]] void with_lambda(traveller& me, waiting& how, int depth) {
  const step outer{me, "torture::with_lambda"};
  const std::array<int, 1> depths{depth - 1};
  const auto call = [&](int left) {
    const step here{me, "torture::with_lambda::{lambda}"};
    descend(here.at('f', me), how, left);
  };
  std::for_each(outer.at('g', depths).begin(), depths.end(), call);
}

[[gnu::noinline]] void throws(traveller& me, waiting& how, int depth) {
  const step here{me, "torture::throws"};
  descend(here.at('h', me), how, depth - 1);
  throw gave_up{};
}

[[gnu::noinline]] void catches(traveller& me, waiting& how, int depth) {
  const step here{me, "torture::catches"};
  try {
    throws(here.at('i', me), how, depth - 1);
  } catch (const gave_up&) {
  }
  descend(here.at('j', me), how, depth - 1);
}

void descend(traveller& me, waiting& how, int depth) {
  const step here{me, "torture::descend"};
  if (depth <= 0 || me.is_far()) return how.wait(here.at('k', me));
  switch (me.any(5)) {
    case 0:
      return plain(here.at('l', me), how, depth);
    case 1:
      return twice(here.at('m', me), how, depth);
    case 2:
      return numbered<1>(here.at('n', me), how, depth);
    case 3:
      return with_lambda(here.at('o', me), how, depth);
    default:
      return catches(here.at('p', me), how, depth);
  }
}

}  // namespace

void travel(traveller& me, waiting& how) {
  const step here{me, "torture::travel"};
  const int depth = me.any(14);
  try {
    descend(here.at('q', me), how, depth);
  } catch (const gave_up&) {
  }
}

}  // namespace torture
