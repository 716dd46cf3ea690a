#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <boost/version.hpp>
#include <fstream>

#include "section/sections.hpp"
#include "values.hpp"

namespace {

using testing::HasSubstr;

TEST(PackageSection, SaysWhichSoftwareThisIs) {
  const gmr::value section = gmr::sections::package_section(
      {.name = "orders", .version = "1.4.2", .vendor = "Example", .revision = "abc123"}, "c0ffee");
  EXPECT_EQ(values::text(values::at(section, "name")), "orders");
  EXPECT_EQ(values::text(values::at(section, "version")), "1.4.2");
  EXPECT_EQ(values::text(values::at(section, "vendor")), "Example");
  EXPECT_EQ(values::text(values::at(section, "revision")), "abc123");
  EXPECT_EQ(values::text(values::at(section, "build_id")), "c0ffee");
  EXPECT_THAT(values::text(values::at(section, "boost")),
              HasSubstr(std::to_string(BOOST_VERSION / 100 % 1000)));
  EXPECT_FALSE(values::text(values::at(section, "compiler")).empty());
}

TEST(PackageSection, WhatIsNotKnownIsNull) {
  gmr::package software;
  software.name = "orders";
  const gmr::value section = gmr::sections::package_section(software, "");
  for (const char* name : {"version", "vendor", "revision", "build_id"})
    EXPECT_TRUE(values::at(section, name).is_null()) << name;
}

TEST(PackageSection, NamesTheOperatingSystem) {
  const std::string os = values::text(values::at(gmr::sections::package_section({}, ""), "os"));
  EXPECT_THAT(os, HasSubstr("Linux"));
  std::ifstream release{"/etc/os-release"};
  std::string line;
  while (std::getline(release, line)) {
    if (!line.starts_with("PRETTY_NAME=\"")) continue;
    EXPECT_THAT(os, HasSubstr(line.substr(13, line.size() - 14)));
  }
}

TEST(HostName, IsThatOfTheKernel) {
  std::array<char, 256> name{};
  ASSERT_EQ(::gethostname(name.data(), name.size()), 0);
  EXPECT_EQ(gmr::sections::host_name(), name.data());
}

}  // namespace
