#include "report/written_report.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "support/scratch_directory.hpp"

namespace gmr_command {
namespace {

const std::string rule = std::string(72, '=') + '\n';
const std::string text = rule + "==== Guru Meditation\n" + rule + "Cause:   signal SIGUSR2\n" +
                         rule + "==== Package\n" + rule + "name: orders\n" + rule +
                         "==== End of Guru Meditation\n" + rule;
const std::string json = "{\"schema\":3,\"cause\":\"signal SIGUSR2\"}\n";

TEST(WrittenReport, IsFoundAmongOtherLines) {
  for (const std::string& report : {text, json}) {
    EXPECT_EQ(report_among(report), report);
    EXPECT_EQ(report_among("started\n\n" + report + "goes on\n"), report);
    EXPECT_EQ(report_among(report + report), report) << "the first one";
  }
}

TEST(WrittenReport, IsNoneUntilItIsWhole) {
  for (const std::string& report : {text, json})
    for (std::size_t size = 0; size < report.size(); ++size)
      EXPECT_FALSE(report_among("before\n" + report.substr(0, size))) << report.substr(0, size);
}

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
  std::ofstream{folder.path() / ("c" + rest)} << text;
  EXPECT_EQ(written.wait(std::chrono::steady_clock::now()), text);
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
