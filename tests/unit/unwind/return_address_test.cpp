// Which addresses a call returns to.
#include "unwind/return_address.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <array>
#include <cstddef>
#include <cstring>

namespace gmr::unwind {
namespace {

#if defined(__x86_64__)

// As generated code may lie: at the start of its page, after one that can't be read.
class CodeAtTheStartOfAPage : public testing::Test {
 protected:
  static constexpr std::size_t page = 4096;

  CodeAtTheStartOfAPage()
      : pages_(static_cast<std::byte*>(::mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE,
                                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    // push %rbp; mov %rsp, %rbp; call *%rdi; pop %rbp
    constexpr std::array<unsigned char, 7> code{0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d};
    std::memcpy(pages_ + page, code.data(), code.size());
    ::mprotect(pages_, page, PROT_NONE);
  }
  ~CodeAtTheStartOfAPage() override { ::munmap(pages_, 2 * page); }

  [[nodiscard]] std::uintptr_t at(std::size_t offset) const {
    return reinterpret_cast<std::uintptr_t>(pages_ + page + offset);
  }

 private:
  std::byte* pages_;
};

TEST_F(CodeAtTheStartOfAPage, HasCallsToReturnTo) {
  EXPECT_TRUE(follows_call(at(6)));
  EXPECT_FALSE(follows_call(at(4)));
  EXPECT_FALSE(follows_call(at(0)));
}

#endif

}  // namespace
}  // namespace gmr::unwind
