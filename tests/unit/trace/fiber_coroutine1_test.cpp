// Boost.Coroutine's first version: its fibers end without a sign and are retired with their stack.
#define BOOST_COROUTINES_NO_DEPRECATION_WARNING
#include <gtest/gtest.h>

#include <boost/coroutine/asymmetric_coroutine.hpp>
#include <boost/coroutine/protected_stack_allocator.hpp>
#include <optional>
#include <vector>

#include "fiber_listing.hpp"

namespace gmr::test {
namespace {

namespace coroutines = boost::coroutines;
using coroutine = coroutines::asymmetric_coroutine<int>;

// One stack, given out again and again.
class same_stack_allocator {
 public:
  explicit same_stack_allocator(std::vector<char>& memory) : memory_(&memory) {}
  void allocate(coroutines::stack_context& context, std::size_t) {
    context.size = memory_->size();
    context.sp = memory_->data() + memory_->size();
  }
  void deallocate(coroutines::stack_context&) {}

 private:
  std::vector<char>* memory_;
};

TEST(Coroutine1, IsListedAndRetiredWhenItsStackIsUsedAgain) {
  std::vector<char> memory(256 * 1024);
  std::optional<std::size_t> listed;
  std::uint64_t last = 0;
  for (int round = 0; round < 10; ++round) {
    coroutine::pull_type numbers{[](coroutine::push_type& yield) {
                                   for (int i = 0; i < 3; ++i)
                                     yield(i);
                                 },
                                 coroutines::attributes{}, same_stack_allocator{memory}};
    const listing seen = list_fibers();
    ASSERT_EQ(seen.fibers.size(), listed.value_or(seen.fibers.size()));  // no more every round
    listed = seen.fibers.size();
    const listed_fiber* const shown = seen.on_stack_of(memory.data() + memory.size() / 2);
    ASSERT_NE(shown, nullptr);
    EXPECT_TRUE(shown->is_suspended());
    EXPECT_NE(shown->id, last);
    last = shown->id;
    if (round % 2 == 0)
      while (numbers)
        numbers();  // to the end; else unwound
  }
}

// Mapped stacks: those from malloc stay in quarantine under AddressSanitizer.
TEST(Coroutine1, DoesNotAccumulate) {
  constexpr int rounds = 50;
  const std::size_t before = list_fibers().fibers.size();
  for (int round = 0; round < rounds; ++round) {
    coroutine::pull_type numbers{[](coroutine::push_type& yield) { yield(1); },
                                 coroutines::attributes{}, coroutines::protected_stack_allocator{}};
    EXPECT_EQ(numbers.get(), 1);
  }
  EXPECT_LE(list_fibers().fibers.size(), before + rounds / 10);
}

}  // namespace
}  // namespace gmr::test
