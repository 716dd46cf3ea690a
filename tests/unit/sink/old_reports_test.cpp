// What makes room for newer reports in log_dir, and what stays.
#include "sink/old_reports.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>

#include "sink/sink.hpp"
#include "support.hpp"

namespace gmr::sinks {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class OldReports : public testing::Test {
 protected:
  void make(const std::string& name, std::size_t bytes = 10) {
    std::ofstream{directory_.path() / name} << std::string(bytes, 'x');
  }
  std::string remove(const kept_reports& kept, const std::string& newest = {}) {
    return remove_old_reports(directory_.path(), "orders", kept, newest);
  }
  std::set<std::string> names() {
    std::set<std::string> out;
    for (const auto& entry : fs::directory_iterator{directory_.path()})
      out.insert(entry.path().filename());
    return out;
  }
  // Of that day.
  static std::string report(int day, const std::string& end = "7_1.txt") {
    return "orders_gurumeditation_202611" + std::to_string(10 + day) + "T031500Z_" + end;
  }
  test::scratch_directory directory_;
};

TEST_F(OldReports, AreKnownByTheirNames) {
  for (const char* name : {"orders_gurumeditation_20261126T031500Z_812_3.txt",
                           "orders_gurumeditation_20261126T031500Z_812_3.json",
                           "orders_gurumeditation_20261126T031500Z_812_3-17.txt",
                           "orders_gurumeditation_20261126T031500Z_812_raw.txt"})
    EXPECT_TRUE(is_name_of_report(name, "orders")) << name;
  EXPECT_TRUE(is_name_of_report("a_b_gurumeditation_20261126T031500Z_812_3.txt", "a b"));
  for (const char* name :
       {"", "orders", "orders_gurumeditation_", "orders_gurumeditation_20261126T031500Z_812_3",
        "orders_gurumeditation_20261126T031500Z_812_3.txt.gz",
        "orders_gurumeditation_20261126T031500Z_812_3.txt~",
        "orders_gurumeditation_20261126T031500Z_812_3.log",
        "orders_gurumeditation_20261126T031500Z_812_.txt",
        "orders_gurumeditation_20261126T031500Z_812_3-.txt",
        "orders_gurumeditation_20261126T031500Z_812_rawer.txt",
        "orders_gurumeditation_20261126_812_3.txt",
        "orders_gurumeditation_920261126T031500Z_812_3.txt",
        "orders2_gurumeditation_20261126T031500Z_812_3.txt",
        "more_orders_gurumeditation_20261126T031500Z_812_3.txt",
        ".orders_gurumeditation_20261126T031500Z_812_3.partial", "notes.txt"})
    EXPECT_FALSE(is_name_of_report(name, "orders")) << name;
}

TEST_F(OldReports, TheOldestGoFirst) {
  for (const int day : {3, 1, 5, 2, 4})
    make(report(day));
  make(report(5, "7_raw.txt"));
  EXPECT_EQ(remove({.count = 3}), "");
  EXPECT_EQ(names(), (std::set{report(4), report(5), report(5, "7_raw.txt")}));
  EXPECT_EQ(remove({.count = 3}), "");
  EXPECT_EQ(names().size(), 3U);
}

TEST_F(OldReports, GoUntilTheirSumIsSmallEnough) {
  for (int day = 1; day <= 5; ++day)
    make(report(day), 100);
  EXPECT_EQ(remove({.count = 4, .bytes = 250}), "");
  EXPECT_EQ(names(), (std::set{report(4), report(5)}));
}

TEST_F(OldReports, TheOneThatWasJustWrittenStays) {
  make(report(9), 100);
  make(report(1), 5000);  // the clock was set back
  EXPECT_EQ(remove({.count = 1, .bytes = 50}, report(1)), "");
  EXPECT_EQ(names(), (std::set{report(1)}));
}

TEST_F(OldReports, WithoutALimitAllStay) {
  for (int day = 1; day <= 5; ++day)
    make(report(day));
  EXPECT_EQ(remove({}), "");
  EXPECT_EQ(names().size(), 5U);
}

TEST_F(OldReports, NothingElseIsTouched) {
  test::scratch_directory elsewhere;
  const fs::path target = elsewhere.path() / "file";
  std::ofstream{target} << "kept";
  const std::set<std::string> others{
      "orders.log", "orders2_gurumeditation_20261111T031500Z_7_1.txt",
      ".orders_gurumeditation_20261111T031500Z_7_1.partial", report(1, "7_1.txt.gz")};
  for (const std::string& each : others)
    make(each);
  fs::create_symlink(target, directory_.path() / report(1));
  fs::create_directory(directory_.path() / report(2));
  ASSERT_EQ(::mkfifo((directory_.path() / report(3)).c_str(), 0600), 0);
  make(report(8));
  make(report(9));
  EXPECT_EQ(remove({.count = 1, .bytes = 1}, report(9)), "");
  std::set<std::string> expected = others;
  expected.insert({report(1), report(2), report(3), report(9)});
  EXPECT_EQ(names(), expected);
  EXPECT_EQ(test::content_of(target), "kept");
}

TEST_F(OldReports, OfAnotherUserStay) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to make a file of another user's";
  make(report(1));
  ASSERT_EQ(::chown((directory_.path() / report(1)).c_str(), 12345, 12345), 0);
  make(report(2));
  make(report(3));
  EXPECT_EQ(remove({.count = 1}), "");
  EXPECT_EQ(names(), (std::set{report(1), report(3)}));
}

TEST_F(OldReports, SaysWhyTheyCanNotBeRemoved) {
  EXPECT_THAT(remove_old_reports(directory_.path() / "missing", "orders", {.count = 1}, ""),
              HasSubstr("No such file or directory"));
}

TEST_F(OldReports, MakeRoomForEachReportThatIsWritten) {
  const settings set{.log_dir = directory_.path(), .kept = {.count = 2}};
  const test::standard_error_is nowhere{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  for (std::uint64_t number = 1; number <= 5; ++number) {
    const auto time =
        std::chrono::system_clock::from_time_t(1'700'000'000 + static_cast<std::time_t>(number));
    EXPECT_EQ(write(set, {"orders", time, number, "txt"}, "report"), "");
  }
  const std::string process = std::to_string(::getpid());
  EXPECT_EQ(names(), (std::set<std::string>{
                         "orders_gurumeditation_20231114T221324Z_" + process + "_4.txt",
                         "orders_gurumeditation_20231114T221325Z_" + process + "_5.txt"}));
}

}  // namespace
}  // namespace gmr::sinks
