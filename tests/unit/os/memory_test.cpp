#include "os/memory.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "os/files.hpp"
#include "support/in_child.hpp"
#include "support/no_descriptors.hpp"
#include "support/refused_call.hpp"

namespace gmr::os {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::size_t page = 4096;

std::uintptr_t address_of(const void* object) {
  return reinterpret_cast<std::uintptr_t>(object);
}

// Three pages: one to read, one that is protected, one that is not there.
class pages {
 public:
  pages()
      : begin_(static_cast<std::byte*>(::mmap(nullptr, 3 * page, PROT_READ | PROT_WRITE,
                                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    std::fill_n(begin_, page, std::byte{7});
    ::mprotect(begin_ + page, page, PROT_NONE);
    ::munmap(begin_ + 2 * page, page);
  }
  ~pages() { ::munmap(begin_, 2 * page); }
  pages(const pages&) = delete;
  pages& operator=(const pages&) = delete;
  [[nodiscard]] std::uintptr_t begin() const { return address_of(begin_); }

 private:
  std::byte* begin_;
};

// What holds whichever way memory is read.
void check_reading() {
  const int value = 7;
  EXPECT_EQ(read_memory<int>(address_of(&value)), 7);
  EXPECT_EQ(read_memory<int>(8), std::nullopt);
  EXPECT_EQ(read_string(8), "");
  const std::string text(1000, 'x');
  EXPECT_EQ(read_string(address_of(text.c_str())), text);

  const pages some;
  std::array<std::byte, 2 * page> copy{};
  EXPECT_EQ(read_bytes(some.begin() + page - 100, copy), 100U) << "a guard page ends it";
  EXPECT_EQ(copy[99], std::byte{7});
  EXPECT_EQ(read_bytes(some.begin() + page, copy), 0U);
  EXPECT_EQ(read_bytes(some.begin() + 2 * page, copy), 0U);
  EXPECT_FALSE(read_memory(some.begin() + page - 4, std::span{copy}.first(8)));

  std::array<char, 6> there{"abcde"};
  std::array<char, 6> got{};
  const std::array<iovec, 3> to{{{got.data(), 2}, {got.data() + 2, 3}, {got.data() + 5, 1}}};
  const std::array<iovec, 3> from{
      {{there.data(), 2}, {there.data() + 2, 3}, {reinterpret_cast<void*>(8), 1}}};
  EXPECT_EQ(read_parts(to, from), 5U);
  EXPECT_STREQ(got.data(), "abcde");
}

TEST(Memory, IsReadUpToWhatIsNotThere) {
  prepare_memory();
  check_reading();
  EXPECT_THAT(why_memory_is_unreadable(), IsEmpty());
}

TEST(Memory, WhetherItMayBeReadIsAskedWithoutReading) {
  const pages some;
  EXPECT_TRUE(is_readable(some.begin(), page));
  EXPECT_TRUE(is_readable(some.begin() + 1, page - 1));
  EXPECT_FALSE(is_readable(some.begin(), page + 1));
  EXPECT_FALSE(is_readable(some.begin() + page, 1));
  EXPECT_FALSE(is_readable(some.begin() + 2 * page, 1));
  EXPECT_FALSE(is_readable(8, 1));
}

class RefusedMemory : public ::testing::TestWithParam<int> {};

TEST_P(RefusedMemory, IsReadFromTheFileInstead) {
  test::in_child([] {
    test::refuse_call(SYS_process_vm_readv, static_cast<unsigned>(GetParam()));
    check_reading();  // nobody has told it
    prepare_memory();
    check_reading();
    EXPECT_THAT(why_memory_is_unreadable(), IsEmpty());
  });
}

TEST_P(RefusedMemory, IsReadThoughNoDescriptorIsLeft) {
  test::in_child([] {
    keep_spare_descriptors();
    test::refuse_call(SYS_process_vm_readv, static_cast<unsigned>(GetParam()));
    test::use_up_descriptors();
    prepare_memory();
    check_reading();
  });
}

TEST_P(RefusedMemory, OfAForkedChildIsItsOwn) {
  test::in_child([] {
    test::refuse_call(SYS_process_vm_readv, static_cast<unsigned>(GetParam()));
    prepare_memory();
    static volatile int value = 1;
    const pid_t child = ::fork();
    if (child == 0) {
      value = 2;
      ::_exit(read_memory<int>(address_of(const_cast<const int*>(&value))) == 2 ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0) << "the child read its parent's memory, or none";
  });
}

TEST_P(RefusedMemory, IsNotReadFromWhatTheProgramOpenedInstead) {
  test::in_child([] {
    test::refuse_call(SYS_process_vm_readv, static_cast<unsigned>(GetParam()));
    prepare_memory();
    ::syscall(SYS_close_range, 3U, ~0U, 0U);
    for (int i = 0; i < 64; ++i)
      ASSERT_GE(::open("/dev/zero", O_RDONLY | O_CLOEXEC), 0);
    const int value = 7;
    EXPECT_EQ(read_memory<int>(address_of(&value)), 7);
  });
}

TEST_P(RefusedMemory, TheReasonIsKept) {
  test::in_child([] {
    test::refuse_call(SYS_process_vm_readv, static_cast<unsigned>(GetParam()));
    test::refuse_call(SYS_pread64, EACCES);
    prepare_memory();
    const int value = 7;
    EXPECT_EQ(read_memory<int>(address_of(&value)), std::nullopt);
    EXPECT_THAT(why_memory_is_unreadable(),
                HasSubstr(std::string{"process_vm_readv: "} + ::strerrordesc_np(GetParam()) +
                          "; /proc/self/mem: Permission denied"));
  });
}

INSTANTIATE_TEST_SUITE_P(Policies, RefusedMemory, ::testing::Values(EPERM, ENOSYS, EACCES),
                         [](const auto& test) { return ::strerrorname_np(test.param); });

}  // namespace
}  // namespace gmr::os
