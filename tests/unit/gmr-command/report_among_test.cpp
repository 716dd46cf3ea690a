// Reports of one process among others and among other lines, in each form that services write.
#include "report/report_among.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "gmr/model/report.hpp"
#include "outline/outline.hpp"
#include "unit/view/golden_reports.hpp"
#include "view/view.hpp"

namespace gmr_command {
namespace {

constexpr pid_t own = 811;
constexpr pid_t sibling = 812;
constexpr std::array written_forms{gmr::report_format::text, gmr::report_format::json,
                                   gmr::report_format::html, gmr::report_format::oslo};

// A whole one, as a service writes it.
std::string report_of(pid_t pid, gmr::report_format form) {
  gmr::report made;
  for (const auto& each : gmr::views::test::golden_reports())
    if (each.name == "fibers") made = each.make();
  gmr::key_values process;
  process.add("pid", std::int64_t{pid}).add("parent", std::int64_t{1}).add("user", "orders");
  made.process = std::move(process);
  return gmr::views::render(gmr::outlines::arrange(made), form);
}

std::optional<std::string> among(std::string lines, bool is_quiet = true) {
  return report_among(lines, own, is_quiet);
}

class ReportAmong : public testing::TestWithParam<gmr::report_format> {
 protected:
  const std::string of_own_ = report_of(own, GetParam());
  const std::string of_sibling_ = report_of(sibling, GetParam());
};

TEST_P(ReportAmong, IsFoundAmongOtherLines) {
  EXPECT_EQ(among(of_own_), of_own_);
  EXPECT_EQ(among("started\n\n" + of_own_ + "INFO goes on\n"), of_own_);
  EXPECT_EQ(among(of_own_ + of_own_), of_own_) << "the first one";
}

TEST_P(ReportAmong, OfAnotherProcessIsPassedOver) {
  EXPECT_EQ(among(of_sibling_), std::nullopt);
  EXPECT_EQ(among(of_sibling_ + of_own_ + of_sibling_), of_own_);
}

TEST_P(ReportAmong, IsFoundBehindOneThatWasCut) {
  EXPECT_EQ(among(of_sibling_.substr(0, of_sibling_.size() / 2) + "\n" + of_own_), of_own_);
}

TEST_P(ReportAmong, IsNoneUntilItIsWhole) {
  const std::size_t step = of_own_.size() / 200 + 1;
  for (std::size_t size = 0; size + 400 < of_own_.size(); size += step)
    EXPECT_EQ(among("before\n" + of_own_.substr(0, size), false), std::nullopt) << size;
}

TEST_P(ReportAmong, IsFoundPieceByPiece) {
  std::string lines;
  std::optional<std::string> found;
  const std::string all = "started\n" + of_sibling_ + "a line\n" + of_own_;
  for (std::size_t at = 0; at < all.size(); at += 1000) {
    EXPECT_FALSE(found);
    lines += all.substr(at, 1000);
    found = report_among(lines, own, false);
  }
  if (!found) found = report_among(lines, own, true);
  EXPECT_EQ(found, of_own_);
}

INSTANTIATE_TEST_SUITE_P(Forms, ReportAmong, testing::ValuesIn(written_forms));

TEST(ReportAmongOtherText, APageOfTheServiceIsNone) {
  EXPECT_EQ(among("<!DOCTYPE html>\n<html>\n</html>\n"), std::nullopt);
}

TEST(ReportAmongOtherText, TakesNoMemory) {
  std::string lines;
  for (int i = 0; i < 1000; ++i) {
    lines += std::string(1000, 'x') + '\n';
    EXPECT_FALSE(report_among(lines, own, false));
  }
  EXPECT_LT(lines.size(), 5000U);
}

}  // namespace
}  // namespace gmr_command
