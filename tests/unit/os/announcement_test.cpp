#include "os/announcement.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "support/in_child.hpp"

namespace gmr::os {
namespace {

std::optional<announcement> own() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (auto found = parse_announcement(line)) return found;
  return std::nullopt;
}

TEST(Announcement, IsWhatTheProcessSaysUntilItIsWithdrawn) {
  announce({.signal = 12, .service = "my orders", .socket = "@orders", .log_dir = "/var/log/a b"});
  auto found = own();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->signal, 12);
  EXPECT_EQ(found->service, "my orders");
  EXPECT_EQ(found->socket, "@orders");
  EXPECT_EQ(found->log_dir, "/var/log/a b");
  announce({.signal = 0, .service = "other", .socket = {}, .log_dir = {}});
  found = own();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->signal, 0);
  EXPECT_EQ(found->service, "other");
  EXPECT_EQ(found->socket, "");
  withdraw_announcement();
  EXPECT_FALSE(own());
}

TEST(Announcement, IsNotTrueOfAForkedChild) {
  announce({.signal = 12, .service = "parent", .socket = {}, .log_dir = {}});
  test::in_child([] {
    EXPECT_FALSE(own());
    announce({.signal = 10, .service = "child", .socket = {}, .log_dir = {}});
    const auto found = own();
    ASSERT_TRUE(found);
    EXPECT_EQ(found->service, "child");
  });
  EXPECT_EQ(own().value_or(announcement{}).service, "parent");
  withdraw_announcement();
}

TEST(Announcement, LeavesOutWhatHasNoRoomOrWouldBeTakenForSomethingElse) {
  announce({.signal = 12,
            .service = "a\tsignal=9",
            .socket = "/run/report.sock",
            .log_dir = std::string(300, 'x')});
  const auto found = own();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->signal, 12);
  EXPECT_EQ(found->socket, "/run/report.sock");
  EXPECT_EQ(found->service, "");
  EXPECT_EQ(found->log_dir, "");
  EXPECT_TRUE(found->has_other_log_dir) << "it is not standard error";
  withdraw_announcement();
}

TEST(Announcement, HasRoomToSayThatTheLogDirHasNone) {
  for (std::size_t size = 60; size < 260; ++size) {
    announce({.signal = 12,
              .service = std::string(size, 's'),
              .socket = std::string(100, 'x'),
              .log_dir = std::string(200, 'd')});
    const auto found = own();
    ASSERT_TRUE(found) << size;
    EXPECT_TRUE(found->has_other_log_dir) << size;
  }
  withdraw_announcement();
}

TEST(Announcement, OtherMappingsAreNone) {
  const std::string place = "7f0000000000-7f0000001000 r--p 00000000 00:01 5 ";
  EXPECT_TRUE(parse_announcement(place + "/memfd:gmr-1\tsignal=12 (deleted)"));
  EXPECT_FALSE(parse_announcement(place + "/memfd:gmr-10\tsignal=12 (deleted)"));
  EXPECT_FALSE(parse_announcement(place + "/memfd:gmr-spare (deleted)"));
  EXPECT_FALSE(parse_announcement(place + "/memfd:gmr-1\tsignal=12"));
  EXPECT_FALSE(parse_announcement(place + "/usr/lib/libc.so.6"));
  EXPECT_FALSE(parse_announcement(""));
  const std::string path = "/memfd:gmr-1\tsignal=12 (deleted)";
  EXPECT_FALSE(parse_announcement(place + "/tmp" + path)) << "a file that is only called so";
  EXPECT_FALSE(parse_announcement(place + "/tmp/a" + path));
  for (const std::string other :
       {"rw-p 00000000", "r--s 00000000", "rw-s 00000000", "r--p 00001000"})
    EXPECT_FALSE(parse_announcement("7f0000000000-7f0000001000 " + other + " 00:01 5 " + path))
        << other;
  EXPECT_EQ(parse_announcement(place + "/memfd:gmr-1\tsignal\t=\t (deleted)")->signal, 0);
}

}  // namespace
}  // namespace gmr::os
