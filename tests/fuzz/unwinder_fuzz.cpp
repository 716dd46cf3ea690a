// Walks stacks made of whatever the fuzzer thinks of.
#include <cstddef>
#include <cstdint>

#include "hostile_stack.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static gmr::test::hostile_stack stack;
  stack.unwind({data, size});
  return 0;
}
