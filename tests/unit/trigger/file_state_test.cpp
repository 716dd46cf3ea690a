// What counts as a touch of the trigger file, poll by poll.
#include "trigger/file_state.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "support.hpp"

namespace gmr::triggers {
namespace {

namespace fs = std::filesystem;

// Root may enter every directory: while it lives, the process is somebody else, who owns `place`.
class somebody_ordinary final {
 public:
  explicit somebody_ordinary(const fs::path& place) {
    constexpr uid_t nobody = 65534;
    if (before_ != 0) return;
    EXPECT_EQ(::chown(place.c_str(), nobody, nobody), 0);
    EXPECT_EQ(::seteuid(nobody), 0);
  }
  ~somebody_ordinary() { EXPECT_EQ(::seteuid(before_), 0); }
  somebody_ordinary(const somebody_ordinary&) = delete;
  somebody_ordinary& operator=(const somebody_ordinary&) = delete;

 private:
  const uid_t before_ = ::geteuid();
};

class FileState : public testing::Test {
 protected:
  void create(const fs::path& at) { std::ofstream{at} << "x"; }
  void set_time(const fs::path& at, std::int64_t seconds, long nanoseconds = 0) {
    const timespec times[2] = {{seconds, nanoseconds}, {seconds, nanoseconds}};
    ASSERT_EQ(::utimensat(AT_FDCWD, at.c_str(), times, 0), 0);
  }
  bool touched() { return state_.poll().touched; }

  test::scratch_directory directory_;
  fs::path file_ = directory_.path() / "trigger";
  file_state state_{file_};
};

TEST_F(FileState, TheStateAtStartIsNoTouch) {
  create(file_);
  EXPECT_FALSE(touched());
  EXPECT_FALSE(touched());
}

TEST_F(FileState, ANewTimeIsATouchAlsoOneNanosecondLaterOrInThePast) {
  create(file_);
  set_time(file_, 1'700'000'000, 5);
  ASSERT_FALSE(touched());
  set_time(file_, 1'700'000'000, 6);
  EXPECT_TRUE(touched());
  EXPECT_FALSE(touched());
  set_time(file_, 1'000'000'000);
  EXPECT_TRUE(touched());
  EXPECT_FALSE(touched());
}

TEST_F(FileState, AFileThatAppearsIsTouchedAndOneThatGoesIsNot) {
  EXPECT_FALSE(touched());
  create(file_);
  EXPECT_TRUE(touched());
  fs::remove(file_);
  EXPECT_FALSE(touched());
  EXPECT_FALSE(touched());
  create(file_);
  EXPECT_TRUE(touched());
}

TEST_F(FileState, AFileMovedAwayAndBackIsTouchedAlthoughItIsTheSame) {
  create(file_);
  ASSERT_FALSE(touched());
  fs::rename(file_, directory_.path() / "elsewhere");
  EXPECT_FALSE(touched());
  fs::rename(directory_.path() / "elsewhere", file_);
  EXPECT_TRUE(touched());
}

TEST_F(FileState, AFileReplacedByRenameIsTouchedEvenWithTheSameTime) {
  create(file_);
  set_time(file_, 1'700'000'000);
  ASSERT_FALSE(touched());
  create(directory_.path() / "other");
  set_time(directory_.path() / "other", 1'700'000'000);
  fs::rename(directory_.path() / "other", file_);
  EXPECT_TRUE(touched());
}

TEST_F(FileState, ASymbolicLinkIsFollowed) {
  const fs::path target = directory_.path() / "target";
  create(target);
  fs::create_symlink(target, file_);
  ASSERT_FALSE(touched());
  set_time(target, 1'700'000'000);
  EXPECT_TRUE(touched());
  fs::remove(target);
  EXPECT_FALSE(touched());
  create(target);
  EXPECT_TRUE(touched());
}

TEST_F(FileState, AFileThatMayNotBeReadIsStillWatched) {
  create(file_);
  ASSERT_FALSE(touched());
  ASSERT_EQ(::chmod(file_.c_str(), 0), 0);
  EXPECT_FALSE(touched());
  set_time(file_, 1'700'000'000);
  EXPECT_TRUE(touched());
}

// A loop of symbolic links can't be looked at by anybody, root included.
TEST_F(FileState, WhatIsWrongIsSaidOnceAndAgainWhenItIsRight) {
  create(directory_.path() / "target");
  fs::create_symlink(directory_.path() / "target", file_);
  EXPECT_EQ(state_.poll().message, "");
  fs::remove(file_);
  fs::create_symlink(file_, file_);
  file_state::change wrong = state_.poll();
  EXPECT_FALSE(wrong.touched);
  EXPECT_NE(wrong.message.find(file_.string()), std::string::npos);
  EXPECT_EQ(state_.poll().message, "");
  fs::remove(file_);
  fs::create_symlink(directory_.path() / "target", file_);
  const file_state::change right = state_.poll();
  EXPECT_FALSE(right.touched) << "nothing was touched meanwhile";
  EXPECT_NE(right.message.find("again"), std::string::npos);
  EXPECT_EQ(state_.poll().message, "");
}

TEST_F(FileState, ATouchWhileItCouldNotBeLookedAtIsSeenAfterwards) {
  create(directory_.path() / "target");
  fs::create_symlink(directory_.path() / "target", file_);
  ASSERT_FALSE(touched());
  fs::remove(file_);
  fs::create_symlink(file_, file_);
  ASSERT_FALSE(touched());
  set_time(directory_.path() / "target", 1'700'000'000);
  fs::remove(file_);
  fs::create_symlink(directory_.path() / "target", file_);
  EXPECT_TRUE(touched());
}

TEST_F(FileState, AFileThatCouldNotBeLookedAtFromTheStartIsNotTouchedWhenItCan) {
  fs::create_symlink(file_, file_);
  ASSERT_FALSE(touched());
  fs::remove(file_);
  create(file_);
  EXPECT_FALSE(touched());
  set_time(file_, 1'700'000'000);
  EXPECT_TRUE(touched());
}

TEST_F(FileState, ADirectoryThatIsClosedAndOpenedAgain) {
  const somebody_ordinary here{directory_.path()};
  const fs::path inner = directory_.path() / "inner";
  fs::create_directory(inner);
  create(inner / "file");
  file_state state{inner / "file"};
  ASSERT_FALSE(state.poll().touched);
  ASSERT_EQ(::chmod(inner.c_str(), 0), 0);
  EXPECT_NE(state.poll().message, "");
  ASSERT_EQ(::chmod(inner.c_str(), 0700), 0);
  EXPECT_FALSE(state.poll().touched);
}

TEST_F(FileState, AMissingFileIsSaidOnceAtTheStartAndWhenItGoes) {
  EXPECT_NE(state_.poll().message, "");
  EXPECT_EQ(state_.poll().message, "");
  create(file_);
  EXPECT_EQ(state_.poll().message, "");
  fs::remove(file_);
  EXPECT_NE(state_.poll().message, "");
  EXPECT_EQ(state_.poll().message, "");
}

}  // namespace
}  // namespace gmr::triggers
