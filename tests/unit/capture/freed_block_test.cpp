// Blocks of malloc that have been given back.
#include "capture/freed_block.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>

namespace gmr::capture {
namespace {

constexpr std::size_t block_bytes = 100'000;  // more than goes into the caches of threads

struct block {
  std::uintptr_t address = 0;
  std::uintptr_t size = 0;  // as its header has it

  explicit block(const void* memory)
      : address(reinterpret_cast<std::uintptr_t>(memory)),
        size(*reinterpret_cast<const volatile std::uintptr_t*>(address - sizeof address) &
             ~std::uintptr_t{7}) {}
  [[nodiscard]] bool is_freed() const { return is_freed_block(address, size); }
};

class FreedBlock : public ::testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "the sanitizer has an allocator of its own";
#endif
    for (std::size_t i = 0; i < memory_.size(); ++i)
      memory_[i] = std::malloc(block_bytes);
    behind_ = std::malloc(block_bytes);
  }
  void TearDown() override {
    for (void* const each : memory_)
      std::free(each);
    std::free(behind_);
  }
  void give_back(std::size_t which) { std::free(std::exchange(memory_[which], nullptr)); }

  std::array<void*, 5> memory_{};
  void* behind_ = nullptr;
};

TEST_F(FreedBlock, OneThatIsUsedIsNot) {
  for (const void* const each : memory_)
    EXPECT_FALSE(block{each}.is_freed());
}

TEST_F(FreedBlock, OneBetweenOthersIs) {
  const block middle{memory_[2]};
  give_back(2);
  EXPECT_TRUE(middle.is_freed());
  EXPECT_FALSE(block{memory_[1]}.is_freed());
  EXPECT_FALSE(block{memory_[3]}.is_freed());
}

TEST_F(FreedBlock, EachOfSeveralThatBecameOneIs) {
  const std::array blocks{block{memory_[1]}, block{memory_[2]}, block{memory_[3]}};
  for (const std::size_t which : {2U, 1U, 3U})
    give_back(which);
  for (const block& each : blocks)
    EXPECT_TRUE(each.is_freed());
  EXPECT_FALSE(block{memory_[0]}.is_freed());
  EXPECT_FALSE(block{memory_[4]}.is_freed());
}

TEST_F(FreedBlock, OneThatIsUsedAgainIsNot) {
  const block middle{memory_[2]};
  give_back(2);
  memory_[2] = std::malloc(block_bytes);
  ASSERT_EQ(block{memory_[2]}.address, middle.address);
  EXPECT_FALSE(middle.is_freed());
}

TEST_F(FreedBlock, OneBetweenFreeOnesIs) {
  const block middle{memory_[2]};
  for (const std::size_t which : {1U, 3U, 2U})
    give_back(which);
  EXPECT_TRUE(middle.is_freed());
}

TEST_F(FreedBlock, OneThatIsAMappingIsNotUntilItIsUnmapped) {
  const std::unique_ptr<void, decltype(&std::free)> large{std::malloc(std::size_t{1} << 26),
                                                          std::free};
  const block mapped{large.get()};
  EXPECT_FALSE(mapped.is_freed());
}

TEST_F(FreedBlock, OneWhoseMemoryIsGoneIs) {
  EXPECT_TRUE(is_freed_block(16, 4096));
}

}  // namespace
}  // namespace gmr::capture
