// The file trigger on a running thread.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <new>

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
  std::unique_ptr<trigger> watch() {
    return watch_file(
        thread_, file_, 10ms, [this](std::string cause) { causes_.add(cause); },
        [this](const std::string& message) { said_.add(message); });
  }

  test::scratch_directory directory_;
  std::filesystem::path file_ = directory_.path() / "trigger";
  long touches_ = 0;
  test::record causes_;
  test::record said_;
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
  EXPECT_EQ(said_.size(), 0U);
}

TEST_F(FileTrigger, LooksAgainWhereARequestThrew) {
  touch();
  std::atomic<int> failed{0};
  testing::internal::CaptureStderr();
  const auto watching = watch_file(
      thread_, file_, 10ms,
      [&](const std::string& cause) {
        if (failed++ == 0) throw std::bad_alloc{};
        causes_.add(cause);
      },
      [](const std::string&) {});
  touch();
  ASSERT_TRUE(eventually([&] { return failed == 1; }));
  touch();
  EXPECT_TRUE(eventually([&] { return causes_.size() == 1; }));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "gmr: std::bad_alloc\n");
}

TEST_F(FileTrigger, OutlivesTheFile) {
  const auto watching = watch();
  ASSERT_EQ(said_.size(), 1U);
  for (std::size_t count = 1; count <= 3; ++count) {
    touch();
    ASSERT_TRUE(eventually([&] { return causes_.size() == count; }));
    std::filesystem::remove(file_);
    ASSERT_TRUE(eventually([&] { return said_.size() == count + 1; }));
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

TEST_F(FileTrigger, MayBeDestroyedByItsOwnRequestAndFromAnyThread) {
  touch();
  for (int round = 0; round < 20; ++round) {
    std::unique_ptr<trigger> watching;
    std::atomic<bool> made{false};
    std::atomic<bool> destroyed{false};
    watching = watch_file(
        thread_, file_, 10ms,
        [&](const std::string&) {
          if (!made) return;
          watching.reset();
          destroyed = true;
        },
        [](const std::string&) {});
    made = true;
    touch();
    ASSERT_TRUE(eventually([&] { return destroyed.load(); }));
  }
}

}  // namespace
}  // namespace gmr::triggers
