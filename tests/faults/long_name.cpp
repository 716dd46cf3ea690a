// Compiled without debug information, in which compilers write the name out.
#include "long_name.hpp"

#include <unistd.h>

#include <map>
#include <string>

namespace {

volatile int never = 0;

template <class A, class B>
struct pair_of {};
template <int N>
struct deep {
  using type = pair_of<typename deep<N - 1>::type, typename deep<N - 1>::type>;
};
template <>
struct deep<0> {
  using type = std::map<std::string, int>;
};

template <class T>
[[gnu::noinline]] void says_one_type_twice(T*, std::atomic<int>& asleep) {
  ++asleep;
  for (;;) {
    ::sleep(1000);
    never = 1;
  }
}

}  // namespace

void sleep_in_long_name(std::atomic<int>& asleep) {
  says_one_type_twice<deep<20>::type>(nullptr, asleep);
  never = 2;
}
