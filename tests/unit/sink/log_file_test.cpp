// Reports as files in log_dir.
#include "sink/log_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <set>

#include "sink/bare_output.hpp"
#include "sink/sink.hpp"
#include "support.hpp"

namespace gmr::sinks {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class LogFile : public testing::Test {
 protected:
  // What `body` writes to standard error.
  std::string said(const std::function<void()>& body) {
    const fs::path path = errors_.path() / "stderr";
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    {
      const test::standard_error_is redirected{file};
      body();
    }
    ::close(file);
    return test::content_of(path);
  }
  std::vector<fs::path> files() {
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator{directory_.path()})
      out.push_back(entry.path());
    return out;
  }

  test::scratch_directory directory_;
  test::scratch_directory errors_;
  settings settings_{directory_.path(), std::chrono::seconds{5}};
  file_name name_{"orders", std::chrono::system_clock::from_time_t(1'700'000'000), 3, "txt"};
};

TEST_F(LogFile, HasTheNameOfTheContractAndIsForTheOwnerOnly) {
  const mode_t before = ::umask(0);
  const std::string line = said([&] { EXPECT_EQ(write(settings_, name_, "report\n"), ""); });
  ::umask(before);
  const fs::path expected = directory_.path() / ("orders_gurumeditation_20231114T221320Z_" +
                                                 std::to_string(::getpid()) + "_3.txt");
  ASSERT_EQ(files(), std::vector{expected});
  EXPECT_EQ(test::content_of(expected), "report\n");
  struct stat status{};
  ASSERT_EQ(::stat(expected.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  EXPECT_EQ(line, "gmr: report 3 written to " + expected.string() + "\n");
}

TEST_F(LogFile, NeverReplacesAFile) {
  std::set<std::string> contents;
  for (int number = 0; number < 5; ++number) {
    const std::string content = "report " + std::to_string(number);
    contents.insert(content);
    const log_file_result result = write_log_file(directory_.path(), name_, content);
    EXPECT_EQ(result.error, "");
    EXPECT_EQ(test::content_of(result.path), content);
  }
  std::set<std::string> found;
  for (const fs::path& file : files())
    found.insert(test::content_of(file));
  EXPECT_EQ(found, contents);
}

TEST_F(LogFile, NeverFollowsALinkThatWaitsUnderItsName) {
  const fs::path victim = errors_.path() / "victim";
  const log_file_result first = write_log_file(directory_.path(), name_, "x");
  fs::remove(first.path);
  fs::create_symlink(victim, first.path);
  EXPECT_EQ(write_log_file(directory_.path(), name_, "y").error, "");
  EXPECT_FALSE(fs::exists(victim));
}

TEST_F(LogFile, StaysInTheDirectoryWhateverTheServiceIsCalled) {
  for (const char* const service : {"../../etc/x", "", ".hidden", "a b\n;c", "-rf", "\xff\xfe"}) {
    name_.service = service;
    const log_file_result result = write_log_file(directory_.path(), name_, "x");
    EXPECT_EQ(result.error, "") << service;
    EXPECT_EQ(result.path.parent_path(), directory_.path()) << service;
    EXPECT_THAT(result.path.filename().string(),
                testing::MatchesRegex("[A-Za-z0-9_][A-Za-z0-9_.-]*"));
  }
}

TEST_F(LogFile, AMissingDirectorySendsTheReportToStandardErrorWithTheReason) {
  settings_.log_dir /= "missing";
  std::string error;
  const std::string out = said([&] { error = write(settings_, name_, "report\n"); });
  EXPECT_EQ(error, "");
  EXPECT_THAT(out, testing::StartsWith("gmr: the report could not be written"));
  EXPECT_THAT(out, HasSubstr("No such file"));
  EXPECT_THAT(out, testing::EndsWith("\nreport\n"));
}

TEST_F(LogFile, ADirectoryThatIsAFileSendsTheReportToStandardError) {
  settings_.log_dir = "/dev/null";
  EXPECT_THAT(said([&] { EXPECT_EQ(write(settings_, name_, "report\n"), ""); }),
              testing::EndsWith("\nreport\n"));
}

// The limit on file sizes stands in for the full disk; exceeding it raises SIGXFSZ, which ends a
// process by default.
TEST_F(LogFile, AFullDiskLeavesNoHalfFileAndDoesNotEndTheProcess) {
  const int status = test::status_of(test::in_child([&] {
    const rlimit limit{100'000, 100'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    std::signal(SIGXFSZ, SIG_DFL);
    const log_file_result result =
        write_log_file(directory_.path(), name_, std::string(1'000'000, 'x'));
    return result.error.find("too large") != std::string::npos ? 0 : 1;
  }));
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(files().empty());
}

// The raw report's, which can't be written a second time.
TEST_F(LogFile, WhatDoesNotFitIntoTheFileOfARawReportGoesToStandardError) {
  const std::string line = said([&] {
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{20'000, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
    {
      bare_output out{{directory_.path().string(), "orders_", "txt"}, "now"};
      out.write(std::string(20'000, 'a') + "bbb\n");
    }
    ::setrlimit(RLIMIT_FSIZE, &before);
  });
  ASSERT_EQ(files().size(), 1U);
  EXPECT_EQ(test::content_of(files()[0]), std::string(20'000, 'a'));
  EXPECT_THAT(line, testing::StartsWith("gmr: the raw report goes on here, and begins in " +
                                        files()[0].string() + ", which can't be written to: "));
  EXPECT_THAT(line, testing::EndsWith("\nbbb\n"));
}

TEST_F(LogFile, ARawReportForAFolderWhoseNameIsTooLongGoesToStandardError) {
  const std::string line = said([&] {
    bare_output out{{directory_.path().string() + "/" + std::string(2000, 'x'), "orders_", "txt"},
                    "now"};
    out.write("raw\n");
  });
  EXPECT_EQ(line, "raw\n");
  EXPECT_TRUE(files().empty());
}

TEST_F(LogFile, ARawReportKeepsFromAFolderThatDoesNotAnswer) {
  const std::string line = said([&] {
    bare_output out{{directory_.path().string(), "orders_", "txt"}, "now", false};
    out.write("raw\n");
  });
  EXPECT_EQ(line, "raw\n");
  EXPECT_TRUE(files().empty());
}

}  // namespace
}  // namespace gmr::sinks
