// Boost.Coroutine's first version: its fibers end without a sign and are retired with their stack.
#define BOOST_COROUTINES_NO_DEPRECATION_WARNING
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/coroutine/asymmetric_coroutine.hpp>
#include <boost/coroutine/protected_stack_allocator.hpp>
#include <boost/coroutine/standard_stack_allocator.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "capture/freed_block.hpp"
#include "capture/green_threads.hpp"
#include "fiber_listing.hpp"
#include "hook/bare_sources.hpp"

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

// Of the fibers, as a report has them: those that are gone are left out when their stacks are
// copied.
std::size_t count_captured() {
  using namespace std::chrono_literals;
  capture::green_thread_capture all{
      {.stack_bytes = 65536, .deadline = std::chrono::steady_clock::now() + 10s}};
  std::size_t count = 0;
  for (auto batch = all.next(); !batch.empty(); batch = all.next())
    count += static_cast<std::size_t>(std::ranges::count_if(batch, [](const auto& each) {
      return each.view.kind == green_thread_kind::fiber &&
             !each.view.name.starts_with("own stack of thread");
    }));
  return count;
}

void count_to_three(coroutine::push_type& yield) {
  for (int i = 0; i < 3; ++i)
    yield(i);
}

// The same in the raw report.
std::size_t count_bare() {
  std::size_t count = 0;
  trace::bare_green_thread found;
  for (const trace::bare_source* const source : trace::bare_sources()) {
    if (source == nullptr) continue;
    for (trace::bare_place at; source->next(at, found);)
      if (found.has_stack && found.stack.marks[0].address != 0 &&
          !capture::is_stack_gone(found.stack))
        ++count;
  }
  return count;
}

template <class Allocator>
void live_and_end(Allocator allocator) {
  const std::size_t before = count_captured();
  const std::size_t bare_before = count_bare();
  constexpr std::size_t count = 20;
  std::vector<coroutine::pull_type> all;
  for (std::size_t i = 0; i < count; ++i)
    all.emplace_back(count_to_three, coroutines::attributes{}, allocator);
  EXPECT_EQ(count_captured(), before + count);
  EXPECT_EQ(count_bare(), bare_before + count);
  for (std::size_t i = 0; i < count; i += 2)
    while (all[i])
      all[i]();
  all.clear();  // half of them at their end, half while suspended
  EXPECT_EQ(count_captured(), before);
  EXPECT_EQ(count_bare(), bare_before);
}

TEST(Coroutine1, IsGoneWhenItsStackIsUnmapped) {
  live_and_end(coroutines::protected_stack_allocator{});
}

TEST(Coroutine1, IsGoneWhenItsStackIsFreed) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer has an allocator of its own";
#else
  // Behind all of them is one that stays: a block that borders on memory that was never used is not
  // known to be free.
  std::vector<std::unique_ptr<char[]>> others;
  for (int i = 0; i < 20; ++i)
    others.push_back(std::make_unique<char[]>(110'000));
  const auto last = std::make_unique<char[]>(110'000);
  others.clear();
  live_and_end(coroutines::standard_stack_allocator{});
#endif
}

}  // namespace
}  // namespace gmr::test
