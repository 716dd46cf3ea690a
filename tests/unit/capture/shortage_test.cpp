// What becomes of a capture where the process has none left of something.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "capture/thread_capturer.hpp"
#include "os/files.hpp"
#include "support/in_child.hpp"
#include "test_threads.hpp"

namespace gmr::capture {
namespace {

using testing::test_thread;

// Threads that have to be signalled.
class spinning_threads {
 public:
  explicit spinning_threads(int count) {
    for (int i = 0; i < count; ++i)
      threads_.push_back(std::make_unique<test_thread>([this] {
        while (!stop_)
          std::this_thread::yield();
      }));
  }
  ~spinning_threads() { stop_ = true; }
  [[nodiscard]] const std::vector<std::unique_ptr<test_thread>>& all() const { return threads_; }

 private:
  std::atomic<bool> stop_ = false;
  std::vector<std::unique_ptr<test_thread>> threads_;
};

// Until it goes out of scope.
class limit {
 public:
  limit(__rlimit_resource resource, rlim_t value) : resource_(resource) {
    EXPECT_EQ(::getrlimit(resource_, &before_), 0);
    const rlimit less{value, before_.rlim_max};
    EXPECT_EQ(::setrlimit(resource_, &less), 0);
  }
  ~limit() { ::setrlimit(resource_, &before_); }

 private:
  __rlimit_resource resource_;
  rlimit before_{};
};

TEST(Shortage, AFullQueueOfSignalsIsSaidAndWaitedForOnce) {
  test::in_child([] {
    constexpr int count = 20;
    const spinning_threads spinning{count};
    thread_capturer capturer{{}};
    const limit no_signals{RLIMIT_SIGPENDING, 0};
    rusage before{};
    ::getrusage(RUSAGE_THREAD, &before);
    const auto& threads = testing::capture_all(capturer);
    rusage after{};
    ::getrusage(RUSAGE_THREAD, &after);
    for (const auto& each : spinning.all()) {
      const auto* found = testing::find(threads, each->id());
      ASSERT_NE(found, nullptr);
      EXPECT_EQ(found->outcome, capture_outcome::not_signalled);
      EXPECT_THAT(found->note, ::testing::HasSubstr("RLIMIT_SIGPENDING"));
    }
    EXPECT_THAT(capturer.notes(), ::testing::Contains(::testing::AllOf(
                                      ::testing::StartsWith(std::to_string(count) + " threads "),
                                      ::testing::HasSubstr("RLIMIT_SIGPENDING"))));
    constexpr long pauses_for_one = 20;
    EXPECT_LT(after.ru_nvcsw - before.ru_nvcsw, pauses_for_one * count / 4);
  });
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they need addresses, too
std::size_t address_space() {
  std::size_t pages = 0;
  std::ifstream{"/proc/self/statm"} >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

TEST(Shortage, WithoutMemoryForCopiesThreadsAreListedAndNothingLeaks) {
  test::in_child([] {
    const spinning_threads spinning{4};
    thread_capture_settings settings;
    settings.stack_bytes = std::size_t{8} << 20;
    thread_capturer capturer{settings};
    {
      const limit little{RLIMIT_AS, address_space() + (std::size_t{4} << 20)};
      std::size_t after_first = 0;
      for (int i = 0; i < 20; ++i) {
        const auto& threads = testing::capture_all(capturer);
        for (const auto& each : spinning.all()) {
          const auto* found = testing::find(threads, each->id());
          ASSERT_NE(found, nullptr);
          EXPECT_EQ(found->outcome, capture_outcome::unreadable);
          EXPECT_THAT(found->note, ::testing::HasSubstr("no memory"));
        }
        EXPECT_THAT(capturer.notes(),
                    ::testing::Contains(::testing::HasSubstr("there is no memory")));
        if (i == 0) after_first = address_space();
      }
      EXPECT_LE(address_space(), after_first);
    }
    const auto& threads = testing::capture_all(capturer);
    EXPECT_THAT(capturer.notes(), ::testing::IsEmpty());
    for (const auto& each : spinning.all())
      EXPECT_EQ(testing::find(threads, each->id())->outcome, capture_outcome::ok);
  });
}
#endif

std::vector<int> spare_numbers() {
  std::vector<int> found;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"})
    if (const auto to = std::filesystem::read_symlink(entry, gone).string();
        to.find("gmr-spare") != std::string::npos)
      found.push_back(std::stoi(entry.path().filename()));
  return found;
}

// Programs that become daemons close all there is.
TEST(Shortage, ASpareNumberThatTheProgramHasTakenIsItsOwn) {
  test::in_child([] {
    os::keep_spare_descriptors();
    const std::vector<int> numbers = spare_numbers();
    ASSERT_GT(numbers.size(), 4U);
    const int own = ::memfd_create("own", MFD_CLOEXEC);
    for (const int number : numbers)
      ASSERT_EQ(::dup2(own, number), number);
    {
      const limit none{RLIMIT_NOFILE, 0};
      EXPECT_LT(os::open_file(AT_FDCWD, "/proc/self/stat", O_RDONLY), 0);
      EXPECT_EQ(errno, EMFILE);
    }
    for (const int number : numbers)
      EXPECT_GE(::fcntl(number, F_GETFD), 0) << number << " was closed";
  });
}

TEST(Shortage, SpareDescriptorsServeAndAreKeptAgain) {
  test::in_child([] {
    os::keep_spare_descriptors();
    const std::size_t kept = spare_numbers().size();
    int opened = -1;
    {
      // The spare ones have the lowest numbers there are, and one of them is given up for this.
      const std::vector<int> numbers = spare_numbers();
      const limit these{RLIMIT_NOFILE, static_cast<rlim_t>(*std::ranges::max_element(numbers)) + 1};
      std::vector<int> others;
      for (int copy = ::dup(STDIN_FILENO); copy >= 0; copy = ::dup(STDIN_FILENO))
        others.push_back(copy);
      opened = os::open_file(AT_FDCWD, "/proc/self/stat", O_RDONLY);
      for (const int each : others)
        ::close(each);
    }
    EXPECT_GE(opened, 0);
    os::close_file(opened);
    EXPECT_EQ(spare_numbers().size(), kept);
  });
}

}  // namespace
}  // namespace gmr::capture
