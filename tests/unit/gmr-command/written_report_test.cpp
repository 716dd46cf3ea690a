#include "report/written_report.hpp"

#include <gtest/gtest.h>

#include <string>

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

}  // namespace
}  // namespace gmr_command
