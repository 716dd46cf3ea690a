#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <boost/version.hpp>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "facts/facts.hpp"
#include "support/values.hpp"

namespace {

using testing::HasSubstr;

// The executable, with that build id, and libraries of these paths.
gmr::os::module_table modules(const std::string& build_id,
                              const std::vector<std::string>& libraries = {}) {
  gmr::os::module_table::list loaded;
  gmr::os::module program;
  program.kind = gmr::os::module_kind::executable;
  program.build_id = build_id;
  loaded.push_back(std::make_shared<gmr::os::module>(program));
  for (const std::string& path : libraries) {
    gmr::os::module library;
    library.path = path;
    loaded.push_back(std::make_shared<gmr::os::module>(library));
  }
  return {std::move(loaded), {}};
}

TEST(PackageSection, SaysWhichSoftwareThisIs) {
  const gmr::value section = gmr::facts::package_section(
      {.name = "orders", .version = "1.4.2", .vendor = "Example", .revision = "abc123"},
      modules("c0ffee"));
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
  const gmr::value section = gmr::facts::package_section(software, modules(""));
  for (const char* name : {"version", "vendor", "revision", "build_id"})
    EXPECT_TRUE(values::at(section, name).is_null()) << name;
}

// The library is loaded into programs that know nothing of it.
TEST(PackageSection, OfAProgramThatWasBuiltElsewhereSaysWhatIsKnownOfThat) {
  const auto boost_of = [](const std::vector<std::string>& libraries) {
    const gmr::value section = gmr::facts::package_section(
        {.name = "orders"}, modules("", libraries), gmr::facts::built_program::elsewhere);
    EXPECT_TRUE(values::at(section, "compiler").is_null());
    return values::at(section, "boost");
  };
  EXPECT_TRUE(boost_of({"/lib/libc.so.6"}).is_null());
  EXPECT_EQ(values::text(boost_of({"/lib/libc.so.6", "/lib/libboost_context.so.1.55.0"})),
            "1.55.0");
}

TEST(PackageSection, NamesTheOperatingSystem) {
  const std::string os =
      values::text(values::at(gmr::facts::package_section({}, modules("")), "os"));
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
  EXPECT_EQ(gmr::facts::host_name(), name.data());
}

}  // namespace
