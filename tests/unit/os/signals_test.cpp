#include "os/signals.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace {

using gmr::os::parse_signal;
using gmr::os::signal_name;

TEST(SignalNames, AreKnownWithAndWithoutPrefixInAnyCase) {
  EXPECT_EQ(parse_signal("USR2"), SIGUSR2);
  EXPECT_EQ(parse_signal("SIGUSR2"), SIGUSR2);
  EXPECT_EQ(parse_signal("sigHup"), SIGHUP);
  EXPECT_EQ(parse_signal("KILL"), SIGKILL);
}

TEST(SignalNames, NumbersAreSignalsOnlyWhenTheyExist) {
  EXPECT_EQ(parse_signal(std::to_string(SIGUSR1)), SIGUSR1);
  EXPECT_EQ(parse_signal(std::to_string(SIGRTMIN)), SIGRTMIN);
  for (const char* wrong :
       {"0", "-1", "32", "65", "1000000", "99999999999999999999", "1x", " 10", "+10"})
    EXPECT_EQ(parse_signal(wrong), std::nullopt) << wrong;
}

TEST(SignalNames, RealTimeSignalsAreRelativeToTheEnds) {
  EXPECT_EQ(parse_signal("RTMIN"), SIGRTMIN);
  EXPECT_EQ(parse_signal("SIGRTMIN+3"), SIGRTMIN + 3);
  EXPECT_EQ(parse_signal("rtmax-1"), SIGRTMAX - 1);
  EXPECT_EQ(parse_signal("RTMAX"), SIGRTMAX);
  for (const char* wrong :
       {"RTMIN-1", "RTMAX+1", "RTMIN+", "RTMIN+99", "RTMIN+1x", "RTMIN+-1", "RT", ""})
    EXPECT_EQ(parse_signal(wrong), std::nullopt) << wrong;
}

TEST(SignalNames, WhatIsShownIsUnderstood) {
  for (int number = 1; number <= SIGRTMAX; ++number) {
    const auto known = parse_signal(std::to_string(number));
    if (!known) continue;
    EXPECT_EQ(parse_signal(signal_name(number)), known) << signal_name(number);
  }
  EXPECT_EQ(signal_name(SIGUSR2), "SIGUSR2");
  EXPECT_EQ(signal_name(SIGRTMIN), "SIGRTMIN");
  EXPECT_EQ(signal_name(SIGRTMIN + 3), "SIGRTMIN+3");
  EXPECT_EQ(gmr::os::signal_name_and_number(SIGUSR1), "SIGUSR1 (10)");
}

}  // namespace
