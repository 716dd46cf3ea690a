#include "truths.hpp"

// Each call notes the line it stands on, just before it is made.
#define AT_LINE(name, is_inlined) truths.push_back({name, __LINE__, is_inlined})
#define NOT_A_TAIL_CALL asm volatile("" ::: "memory")

namespace gmr::test {

namespace shop {

struct parking {
  park_function park;
  void* context;
};

[[gnu::noinline]] void innermost(parking place, std::vector<truth>& truths) {
  // clang-format off
  AT_LINE("gmr::test::shop::innermost", false); place.park(place.context);
  // clang-format on
  NOT_A_TAIL_CALL;
}

[[gnu::always_inline]] inline void second_inlined(parking place, std::vector<truth>& truths) {
  // clang-format off
  AT_LINE("gmr::test::shop::second_inlined", true); innermost(place, truths);
  // clang-format on
  NOT_A_TAIL_CALL;
}

[[gnu::always_inline]] inline void first_inlined(parking place, std::vector<truth>& truths) {
  // clang-format off
  AT_LINE("gmr::test::shop::first_inlined", true); second_inlined(place, truths);
  // clang-format on
  NOT_A_TAIL_CALL;
}

template <class T>
struct holder {
  template <class U>
  [[gnu::noinline]] void member(parking place, std::vector<truth>& truths, U) const {
    // clang-format off
    AT_LINE("gmr::test::shop::holder<int>::member<char>", false); first_inlined(place, truths);
    // clang-format on
    NOT_A_TAIL_CALL;
  }
};

[[gnu::noinline]] void with_lambda(parking place, std::vector<truth>& truths) {
  const auto lambda = [&](int) __attribute__((noinline)) {
    // clang-format off
    AT_LINE("gmr::test::shop::with_lambda::{lambda#1}", false); holder<int>{}.member(place, truths, 'a');
    // clang-format on
    NOT_A_TAIL_CALL;
  };
  // clang-format off
  AT_LINE("gmr::test::shop::with_lambda", false); lambda(1);
  // clang-format on
  NOT_A_TAIL_CALL;
}

namespace {

[[gnu::noinline]] void recursive(parking place, std::vector<truth>& truths, int depth) {
  if (depth == 0) {
    // clang-format off
    AT_LINE("gmr::test::shop::recursive", false); with_lambda(place, truths);
    // clang-format on
  } else {
    // clang-format off
    AT_LINE("gmr::test::shop::recursive", false); recursive(place, truths, depth - 1);
    // clang-format on
  }
  NOT_A_TAIL_CALL;
}

// Inlined and of internal linkage: g++ writes no linkage name.
[[gnu::always_inline]] inline void internal(parking place, std::vector<truth>& truths) {
  const auto lambda = [&](int depth) __attribute__((always_inline)) {
    // clang-format off
    AT_LINE("gmr::test::shop::internal::{lambda", true); recursive(place, truths, depth);
    // clang-format on
    NOT_A_TAIL_CALL;
  };
  // clang-format off
  AT_LINE("gmr::test::shop::internal", true); lambda(3);
  // clang-format on
  NOT_A_TAIL_CALL;
}

}  // namespace

}  // namespace shop

}  // namespace gmr::test

extern "C" __attribute__((visibility("default"), noinline)) const char* gmr_run_truths(
    gmr::test::park_function park, void* context, std::vector<gmr::test::truth>& truths) {
  // clang-format off
  AT_LINE("gmr_run_truths", false); gmr::test::shop::internal({park, context}, truths);
  // clang-format on
  NOT_A_TAIL_CALL;
  return __FILE__;
}
