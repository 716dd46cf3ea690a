#include "os/users.hpp"

#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

namespace gmr::os {
namespace {

TEST(Users, AreFoundByTheirNumber) {
  constexpr std::string_view users =
      "root:x:0:0:root:/root:/bin/bash\n"
      "+::::::\n"
      "broken\n"
      ":x:7:7::/:\n"
      "half:x:12\n"
      "last:x:1000:1000:A Name,,,:/home/last:/bin/sh";
  EXPECT_EQ(find_user(users, 0), "root");
  EXPECT_EQ(find_user(users, 1000), "last");
  EXPECT_EQ(find_user(users, 12), "half");
  EXPECT_EQ(find_user(users, 7), std::nullopt);
  EXPECT_EQ(find_user(users, 1), std::nullopt);
  EXPECT_EQ(find_user("", 0), std::nullopt);
}

TEST(Users, AreThoseThatTheSystemKnows) {
  const passwd* const known = ::getpwuid(::geteuid());
  if (known == nullptr) GTEST_SKIP() << "this user has no name";
  EXPECT_EQ(user_name(::geteuid()), known->pw_name);
}

}  // namespace
}  // namespace gmr::os
