// The file trigger on a running thread.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iterator>
#include <new>
#include <string>
#include <thread>

#include "support.hpp"
#include "trigger/triggers.hpp"

namespace gmr::triggers {
namespace {

using namespace std::chrono_literals;
using test::eventually;

class FileTrigger : public testing::Test {
 protected:
  void touch() {
    const timespec times[2] = {{1'000'000 + ++touches_, 0}, {1'000'000 + touches_, 0}};
    if (::utimensat(AT_FDCWD, file_.c_str(), times, 0) != 0) std::ofstream{file_} << "x";
  }
  std::unique_ptr<test::watched> watch() {
    return std::make_unique<test::watched>(
        thread_, watch_file(thread_.loop(), file_, 10ms),
        [this](const std::string& cause) { causes_.add(cause); });
  }
  FileTrigger() {
    const int file = ::open(errors_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ::dup2(file, STDERR_FILENO);
    ::close(file);
  }
  ~FileTrigger() override {
    ::dup2(terminal_, STDERR_FILENO);
    ::close(terminal_);
  }
  // What has been written to standard error.
  std::string said() const {
    std::ifstream in{errors_};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  std::size_t lines_said() const {
    return static_cast<std::size_t>(std::ranges::count(said(), '\n'));
  }

  test::scratch_directory directory_;
  std::filesystem::path file_ = directory_.path() / "trigger";
  long touches_ = 0;
  test::record causes_;
  const std::filesystem::path errors_ = directory_.path() / "stderr";
  const int terminal_ = ::dup(STDERR_FILENO);
  test::running_thread thread_;
};

TEST_F(FileTrigger, AsksForAReportThatNamesTheFileForEachTouch) {
  touch();
  const auto watching = watch();
  for (std::size_t count = 1; count <= 3; ++count) {
    touch();
    ASSERT_TRUE(eventually([&] { return causes_.size() == count; }));
  }
  EXPECT_EQ(causes_.entries().front(), "file " + file_.string() + " touched");
  EXPECT_EQ(said(), "");
}

TEST_F(FileTrigger, AsksAgainWhereARequestThrew) {
  touch();
  std::atomic<int> failed{0};
  const test::watched watching{thread_, watch_file(thread_.loop(), file_, 10ms),
                               [&](const std::string& cause) {
                                 if (failed++ == 0) throw std::bad_alloc{};
                                 causes_.add(cause);
                               }};
  touch();
  ASSERT_TRUE(eventually([&] { return failed == 1; }));
  EXPECT_TRUE(eventually([&] { return causes_.size() == 1; })) << "the touch is not forgotten";
  touch();
  EXPECT_TRUE(eventually([&] { return causes_.size() == 2; }));
  EXPECT_EQ(said(), "gmr: std::bad_alloc\n");
}

TEST_F(FileTrigger, OutlivesTheFile) {
  const auto watching = watch();
  ASSERT_TRUE(eventually([&] { return lines_said() == 1; }));
  for (std::size_t count = 1; count <= 3; ++count) {
    touch();
    ASSERT_TRUE(eventually([&] { return causes_.size() == count; }));
    std::filesystem::remove(file_);
    ASSERT_TRUE(eventually([&] { return lines_said() == count + 1; }));
  }
}

TEST_F(FileTrigger, IsQuietOnceDestroyed) {
  touch();
  auto watching = watch();
  touch();
  ASSERT_TRUE(eventually([&] { return causes_.size() == 1; }));
  watching.reset();
  touch();
  auto again = watch();  // polls the same file: when it has seen a touch, the first would have too
  touch();
  ASSERT_TRUE(eventually([&] { return causes_.size() == 2; }));
  EXPECT_EQ(causes_.size(), 2U);
}

TEST_F(FileTrigger, MayBeDestroyedWhileItIsTouched) {
  std::atomic<bool> stop{false};
  std::thread toucher{[&] {
    while (!stop)
      touch();
  }};
  for (int round = 0; round < 20; ++round) {
    auto watching = watch();
    const std::size_t before = causes_.size();
    EXPECT_TRUE(eventually([&] { return causes_.size() > before; }));
    watching.reset();
  }
  stop = true;
  toucher.join();
}

}  // namespace
}  // namespace gmr::triggers
