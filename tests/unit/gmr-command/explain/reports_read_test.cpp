// Reports out of files and logs, for gmr explain and gmr diff.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "exit_codes.hpp"
#include "reports/read.hpp"
#include "support/in_child.hpp"
#include "support/scratch_directory.hpp"

namespace gmr_command {
namespace {

using testing::HasSubstr;

class ReportsRead : public testing::Test {
 protected:
  // How many reports there are in such a file.
  static std::size_t count_in(const std::string& content) {
    const gmr::test::scratch_directory folder;
    const std::string name = folder.path() / "file";
    std::ofstream{name} << content;
    return reports::read({name}).size();
  }

  // What reading it ends with.
  static std::pair<int, std::string> failure_of(const std::string& content) {
    try {
      static_cast<void>(count_in(content));
    } catch (const failure& error) {
      return {error.code(), error.what()};
    }
    return {0, ""};
  }

  static std::string first_line() {
    std::ifstream from{GMR_REPORTS "/deadlock.json"};
    std::string line;
    std::getline(from, line);
    return line;
  }
};

TEST_F(ReportsRead, OutOfALogWithOtherLines) {
  EXPECT_EQ(count_in("starting\n{\"level\": \"info\"}\n" + first_line() + "\nwent on\n"), 1U);
}

TEST_F(ReportsRead, ThatSomebodyHasFormatted) {
  EXPECT_EQ(count_in(nlohmann::json::parse(first_line()).dump(2) + '\n'), 1U);
}

// journald cuts lines at 48 KiB, Docker at 16 KiB.
TEST_F(ReportsRead, AreFoundInLogsThatCutThemInPieces) {
  using nlohmann::json;
  const std::string line = first_line() + std::string(60'000, ' ');
  std::string journal = json{{"MESSAGE", "started"}, {"_PID", "7"}}.dump() + "\n";
  std::string docker = json{{"log", "started\n"}, {"stream", "stderr"}}.dump() + "\n";
  std::string kubernetes = "2026-01-31T12:00:00.123456789Z stderr F started\n";
  const auto pieces = [&](std::size_t most, const auto& add) {
    for (std::size_t at = 0; at < line.size(); at += most)
      add(line.substr(at, most), at + most >= line.size());
  };
  pieces(49152, [&](const std::string& part, bool is_last) {
    json entry{{"MESSAGE", part}, {"_PID", "7"}};
    if (!is_last) entry["_LINE_BREAK"] = "line-max";
    journal += entry.dump() + "\n";
  });
  pieces(16384, [&](const std::string& part, bool is_last) {
    docker += json{{"log", part + (is_last ? "\n" : "")}, {"stream", "stderr"}}.dump() + "\n";
    kubernetes.append("2026-01-31T12:00:00.2Z stderr ").append(is_last ? "F " : "P ");
    kubernetes.append(part).append("\n");
  });
  for (const std::string& log : {journal, docker, kubernetes})
    EXPECT_EQ(count_in(log + log), 2U) << log.substr(0, 200);
}

TEST_F(ReportsRead, BehindMuchOtherTextTakeNoMemoryForThat) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the address sanitizer keeps what is freed";
#endif
  const gmr::test::scratch_directory folder;
  const std::string name = folder.path() / "file";
  constexpr std::uintmax_t much = 128U << 20U;
  std::ofstream{name} << "one line\n";
  std::filesystem::resize_file(name, much);  // a line that takes no room on the disk
  std::ofstream{name, std::ios::app} << '\n' << first_line() << '\n';
  gmr::test::in_child([&] {
    const auto most_kibibytes = [] {
      rusage used{};
      ::getrusage(RUSAGE_SELF, &used);
      return used.ru_maxrss;
    };
    const long before = most_kibibytes();
    EXPECT_EQ(reports::read({name}).size(), 1U);
    EXPECT_LT(most_kibibytes() - before, 64 << 10);
  });
}

TEST_F(ReportsRead, DamagedOnesAreLeftOutAndWholeOnesAreRead) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(count_in(first_line().substr(0, 3000) + "\n" + first_line() + "\n"), 1U);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr(":1: the report is cut"));
}

TEST_F(ReportsRead, CutOnesAreRefusedWithTheLine) {
  const auto [code, text] = failure_of("a line\n" + first_line().substr(0, 3000) + "\n");
  EXPECT_EQ(code, exit_bad_data);
  EXPECT_THAT(text, HasSubstr(":2: the report is cut"));
}

TEST_F(ReportsRead, TextIsRefusedAndToldHowToGetJson) {
  const auto [code, text] = failure_of("====\n==== Guru Meditation\n====\n");
  EXPECT_EQ(code, exit_bad_data);
  EXPECT_THAT(text, HasSubstr("format = json"));
}

TEST_F(ReportsRead, OtherJsonIsRefused) {
  EXPECT_EQ(failure_of("{\"a\": 1}\n").first, exit_bad_data);
  EXPECT_EQ(failure_of("").first, exit_bad_data);
}

TEST_F(ReportsRead, ValuesOfOtherTypesAreRefused) {
  EXPECT_EQ(failure_of("{\"schema\":3,\"process\":{},\"threads\":[{\"id\":\"seven\"}]}\n").first,
            exit_bad_data);
}

TEST_F(ReportsRead, MissingFilesAreNoInput) {
  try {
    static_cast<void>(reports::read({GMR_REPORTS "/there-is-none.json"}));
    FAIL();
  } catch (const failure& error) {
    EXPECT_EQ(error.code(), exit_no_input);
  }
}

}  // namespace
}  // namespace gmr_command
