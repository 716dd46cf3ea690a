#include "truths.hpp"

#include <algorithm>
#include <utility>

// Each call notes the line it stands on. Innermost frames are noted last.
#define AT_LINE(name, is_inlined) truths.push_back({name, __LINE__, is_inlined})
#define NOT_A_TAIL_CALL asm volatile("" ::: "memory")

namespace gmr::test {

std::string truths_file() {
  return __FILE__;
}

namespace shop {

[[gnu::noinline]] void innermost(parked_thread& self, std::vector<truth>& truths) {
  // clang-format off
  AT_LINE("gmr::test::shop::innermost", false); self.park();
  // clang-format on
  NOT_A_TAIL_CALL;
}

[[gnu::always_inline]] inline void second_inlined(parked_thread& self, std::vector<truth>& truths) {
  // clang-format off
  AT_LINE("gmr::test::shop::second_inlined", true); innermost(self, truths);
  // clang-format on
  NOT_A_TAIL_CALL;
}

[[gnu::always_inline]] inline void first_inlined(parked_thread& self, std::vector<truth>& truths) {
  // clang-format off
  AT_LINE("gmr::test::shop::first_inlined", true); second_inlined(self, truths);
  // clang-format on
  NOT_A_TAIL_CALL;
}

template <class T>
struct holder {
  template <class U>
  [[gnu::noinline]] void member(parked_thread& self, std::vector<truth>& truths, U) const {
    // clang-format off
    AT_LINE("gmr::test::shop::holder<int>::member<char>", false); first_inlined(self, truths);
    // clang-format on
    NOT_A_TAIL_CALL;
  }
};

[[gnu::noinline]] void with_lambda(parked_thread& self, std::vector<truth>& truths) {
  const auto lambda = [&](int) __attribute__((noinline)) {
    // clang-format off
    AT_LINE("gmr::test::shop::with_lambda::{lambda#1}", false); holder<int>{}.member(self, truths, 'a');
    // clang-format on
    NOT_A_TAIL_CALL;
  };
  // clang-format off
  AT_LINE("gmr::test::shop::with_lambda", false); lambda(1);
  // clang-format on
  NOT_A_TAIL_CALL;
}

namespace {

[[gnu::noinline]] void recursive(parked_thread& self, std::vector<truth>& truths, int depth) {
  if (depth == 0) {
    // clang-format off
    AT_LINE("gmr::test::shop::recursive", false); with_lambda(self, truths);
    // clang-format on
  } else {
    // clang-format off
    AT_LINE("gmr::test::shop::recursive", false); recursive(self, truths, depth - 1);
    // clang-format on
  }
  NOT_A_TAIL_CALL;
}

}  // namespace

}  // namespace shop

[[gnu::noinline]] void run_truths(parked_thread& self, std::vector<truth>& truths) {
  // clang-format off
  AT_LINE("gmr::test::run_truths", false); shop::recursive(self, truths, 3);
  // clang-format on
  NOT_A_TAIL_CALL;
}

}  // namespace gmr::test
