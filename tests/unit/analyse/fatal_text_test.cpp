// What is said of a fatal error.
#include "analyse/fatal_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analyse/fatal_finding.hpp"

namespace gmr::analyse {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

os::fatal_error fault(int signal, int code, std::uintptr_t address) {
  os::fatal_error error;
  error.thread = 812;
  error.signal = signal;
  error.code = code;
  error.address = address;
  return error;
}

std::string cause(const os::fatal_error& error) {
  return std::string{fatal_text::of_cause(error).view()};
}

void set(std::span<char> to, std::string_view text) {
  std::ranges::copy(text.substr(0, to.size() - 1), to.begin());
}

TEST(FatalText, NamesSignalAddressAndReason) {
  EXPECT_EQ(cause(fault(SIGSEGV, SEGV_MAPERR, 8)),
            "fatal error: SIGSEGV at 0x8 (nothing is mapped there) in thread 812");
  EXPECT_EQ(fatal_text::of_error(fault(SIGFPE, FPE_INTDIV, 0x1234)).view(),
            "SIGFPE at 0x1234 (an integer divided by zero)");
  EXPECT_EQ(fatal_text::of_error(fault(SIGBUS, 99, 0x10)).view(), "SIGBUS at 0x10");
}

TEST(FatalText, NamesWhoHasSentTheSignal) {
  os::fatal_error error = fault(SIGABRT, SI_TKILL, 0);
  error.sender = ::getpid();
  EXPECT_EQ(fatal_text::of_error(error).view(), "SIGABRT");
  error.sender = 7;
  error.code = SI_USER;
  EXPECT_EQ(fatal_text::of_error(error).view(), "SIGABRT sent by process 7");
}

TEST(FatalText, NamesTheExceptionAndHidesWhatMayBeSecret) {
  os::fatal_error error;
  error.thread = 812;
  set(error.exception_type, "St13runtime_error");
  set(error.exception_text, "no luck");
  EXPECT_EQ(cause(error),
            "fatal error: std::terminate in thread 812, exception of type St13runtime_error: no "
            "luck");
  set(error.exception_text, "no luck with pg://me:hunter2@host/");
  EXPECT_EQ(cause(error),
            "fatal error: std::terminate in thread 812, exception of type St13runtime_error");
}

TEST(FatalText, IsCutWhereThereIsNoRoom) {
  os::fatal_error error;
  set(error.exception_type, std::string(2000, 'x'));
  set(error.exception_text, std::string(2000, 'y'));
  EXPECT_LE(cause(error).size(), 1024U);
}

class StackOverflow : public ::testing::Test {
 protected:
  StackOverflow()
      : memory_(static_cast<char*>(
            ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    ::mprotect(memory_, size / 2, PROT_NONE);
  }
  ~StackOverflow() override { ::munmap(memory_, size); }
  // Distances from the lowest word of the stack.
  bool is_overflow(std::ptrdiff_t sp, std::ptrdiff_t address) {
    const auto lowest = reinterpret_cast<std::uintptr_t>(memory_ + size / 2);
    os::fatal_error error =
        fault(SIGSEGV, SEGV_ACCERR, lowest + static_cast<std::uintptr_t>(address));
    error.registers[os::arch::sp_register] = lowest + static_cast<std::uintptr_t>(sp);
    return is_stack_overflow(error);
  }
  static constexpr std::size_t size = 1 << 16;
  char* memory_;
};

TEST_F(StackOverflow, IsAnAccessBelowTheStackNearItsPointer) {
  EXPECT_TRUE(is_overflow(0, -8)) << "a call";
  EXPECT_TRUE(is_overflow(-600, -600)) << "the first word of a frame";
  EXPECT_TRUE(is_overflow(-5000, -100)) << "another word of a large frame";
  EXPECT_FALSE(is_overflow(100, 200)) << "may be read";
  EXPECT_FALSE(is_overflow(100, size / 2 + 100000)) << "above";
  EXPECT_FALSE(is_overflow(100, -1000000)) << "far below";
}

TEST(FatalFinding, NamesThreadPlaceAndWhatIsMapped) {
  frame at;
  at.function = "orders::put";
  at.file = "/src/cache.cpp";
  at.line = 57;
  report complete;
  thread_info& thread = complete.threads.emplace_back();
  thread.id = 812;
  thread.name = "io-1";
  thread.runs = 7;
  thread.stack.frames = {&at};
  os::fatal_error error = fault(SIGSEGV, SEGV_ACCERR, reinterpret_cast<std::uintptr_t>(&fault));
  set(error.exception_type, "St13runtime_error");
  set(error.exception_text, "no luck with pg://me:hunter2@host/");
  const finding found = describe_fatal_error(error, complete);
  EXPECT_EQ(found.kind, finding_kind::fatal_error);
  EXPECT_EQ(found.threads, std::vector{812});
  EXPECT_EQ(found.green_threads, std::vector<std::uint64_t>{7});
  EXPECT_EQ(found.stacks, 1U);
  for (const char* part :
       {"(the access is not permitted there) in thread 812 (io-1), which runs green thread 7, in "
        "orders::put at /src/cache.cpp:57",
        "; exception of type std::runtime_error: no luck with pg://me:***@host/",
        " is in a mapping r-xp of /"})
    EXPECT_THAT(found.text, HasSubstr(part));
  EXPECT_THAT(found.text, Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace gmr::analyse
