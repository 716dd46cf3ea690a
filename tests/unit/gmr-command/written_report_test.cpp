#include "report/written_report.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "support/in_child.hpp"
#include "support/scratch_directory.hpp"

namespace gmr_command {
namespace {

// Another user may write to the directory.
TEST(WrittenReport, IsReadFromARegularFileAndNeverFromALinkOrAPipe) {
  const gmr::test::scratch_directory folder;
  const std::string rest = "_gurumeditation_20261126T031500Z_" + std::to_string(::getpid()) + "_1";
  const process self{::getpid()};
  gmr::os::announcement told;
  told.log_dir = folder.path().string();
  written_report written{self, told};
  ASSERT_TRUE(written.is_readable());
  std::ofstream{folder.path() / "secret"} << "secret";
  std::filesystem::create_symlink(folder.path() / "secret", folder.path() / ("a" + rest));
  ASSERT_EQ(::mkfifo((folder.path() / ("b" + rest)).c_str(), 0600), 0);
  EXPECT_FALSE(written.wait(std::chrono::steady_clock::now()));
  std::ofstream{folder.path() / ("c" + rest)} << "a report";
  EXPECT_EQ(written.wait(std::chrono::steady_clock::now()), "a report");
}

// Workers that are asked at the same time write to one file.
TEST(WrittenReport, OfASiblingOnTheSameStandardErrorIsNotTakenForItsOwn) {
  const gmr::test::scratch_directory folder;
  const std::string log = folder.path() / "log";
  gmr::test::in_child([&] {
    const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const int before = ::dup(STDERR_FILENO);
    ASSERT_EQ(::dup2(file, STDERR_FILENO), STDERR_FILENO);
    const process self{::getpid()};
    written_report written{self, {}};
    const auto report_of = [](pid_t pid) {
      return "{\"schema\":9,\"process\":{\"pid\":" + std::to_string(pid) + "}}\n";
    };
    std::ofstream{log, std::ios::app} << report_of(::getpid() + 1) << report_of(::getpid());
    const auto found = written.wait(std::chrono::steady_clock::now());
    ::dup2(before, STDERR_FILENO);
    EXPECT_EQ(found, report_of(::getpid()));
  });
}

TEST(WrittenReport, IsNotLookedForOnStandardErrorWhereALogDirHasNoRoom) {
  const process self{::getpid()};
  gmr::os::announcement told;
  told.has_other_log_dir = true;
  const written_report written{self, told};
  EXPECT_FALSE(written.is_readable());
  EXPECT_NE(written.place().find("log_dir"), std::string::npos) << written.place();
}

}  // namespace
}  // namespace gmr_command
