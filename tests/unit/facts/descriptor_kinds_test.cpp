// What this process's own descriptors are counted as.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "facts/changes.hpp"
#include "facts/descriptor_kinds.hpp"
#include "support/scratch_directory.hpp"

namespace {

using gmr::facts::count_descriptor_kinds;
using gmr::facts::descriptor_kinds;
constexpr std::chrono::seconds enough{60};

class opened final {
 public:
  opened() = default;
  opened(const opened&) = delete;
  opened& operator=(const opened&) = delete;
  ~opened() {
    for (const int each : all_)
      ::close(each);
  }
  int add(int descriptor) {
    EXPECT_GE(descriptor, 0);
    all_.push_back(descriptor);
    return descriptor;
  }

 private:
  std::vector<int> all_;
};

std::map<std::string, std::uint64_t> counts() {
  const descriptor_kinds found = count_descriptor_kinds(enough);
  EXPECT_TRUE(found.is_complete);
  EXPECT_EQ(found.error, 0);
  return {found.kinds.begin(), found.kinds.end()};
}

int listening(opened& all) {
  const int listener = all.add(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(listener, 5), 0);
  return listener;
}

int connected_to(opened& all, int listener) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  const int client = all.add(::socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&address), size), 0);
  return client;
}

TEST(DescriptorKinds, AreCounted) {
  const gmr::test::scratch_directory folder;
  auto before = counts();
  opened all;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  all.add(ends[0]);
  all.add(ends[1]);
  all.add(::eventfd(0, 0));
  all.add(::epoll_create1(0));
  all.add(::timerfd_create(CLOCK_MONOTONIC, 0));
  all.add(::inotify_init1(0));
  all.add(::memfd_create("test", 0));
  all.add(::open("/dev/zero", O_RDONLY));
  all.add(::open("/proc/self/stat", O_RDONLY));
  all.add(::open(folder.path().c_str(), O_PATH));
  const std::string file = folder.path() / "gone";
  all.add(::open(file.c_str(), O_RDWR | O_CREAT, 0600));
  std::filesystem::remove(file);
  auto now = counts();
  EXPECT_EQ(now["pipe"], before["pipe"] + 2);
  for (const char* each : {"eventfd", "epoll", "timerfd", "inotify", "memfd", "device",
                           "file of /proc or /sys", "file or directory", "deleted file"})
    EXPECT_EQ(now[each], before[each] + 1) << each;
}

TEST(DescriptorKinds, OfSocketsHaveStates) {
  auto before = counts();
  opened all;
  const int listener = listening(all);
  connected_to(all, listener);
  const int accepted = ::accept(listener, nullptr, nullptr);
  all.add(::socket(AF_INET, SOCK_DGRAM, 0));
  all.add(::socket(AF_INET6, SOCK_STREAM, 0));
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  all.add(pair[0]);
  all.add(pair[1]);
  auto now = counts();
  EXPECT_EQ(now["tcp listening"], before["tcp listening"] + 1);
  EXPECT_EQ(now["tcp open"], before["tcp open"] + 2);
  EXPECT_EQ(now["tcp not connected"], before["tcp not connected"] + 1);
  EXPECT_EQ(now["udp"], before["udp"] + 1);
  EXPECT_EQ(now["unix open"], before["unix open"] + 2);
  ::close(accepted);
  // On the loopback the other side is told before close returns, or soon.
  while (counts()["tcp closed by peer"] != before["tcp closed by peer"] + 1)
    ::usleep(1000);
}

TEST(DescriptorKinds, EndWithTheTime) {
  opened all;
  const int first = all.add(::open("/dev/zero", O_RDONLY));
  for (int i = 0; i < 200; ++i)
    all.add(::dup(first));
  const descriptor_kinds found = count_descriptor_kinds(std::chrono::milliseconds{-1});
  EXPECT_FALSE(found.is_complete);
  EXPECT_LT(found.looked_at, 200U);
}

gmr::value process(std::uint64_t descriptors, std::uint64_t limit) {
  return gmr::key_values{}.add("open_descriptors",
                               gmr::key_values{}.add("count", descriptors).add("limit", limit));
}

TEST(DescriptorsNearLimit, AreAFinding) {
  EXPECT_FALSE(gmr::facts::find_descriptors_near_limit(process(921, 1024)));
  const auto found = gmr::facts::find_descriptors_near_limit(process(922, 1024));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kind, gmr::finding_kind::descriptors_near_limit);
  EXPECT_EQ(found->text, "922 descriptors are open of the 1024 that the process may have");
  EXPECT_FALSE(gmr::facts::find_descriptors_near_limit(gmr::key_values{}));
}

TEST(Changes, AreThoseSinceTheLastReport) {
  gmr::facts::change_reader reader;
  gmr::report made;
  made.number = 3;
  made.process = process(10, 1024);
  made.threads.resize(4);
  made.green_threads.count = 100;
  EXPECT_FALSE(reader.read(made));
  made.number = 4;
  made.process = process(7, 1024);
  made.threads.resize(6);
  made.green_threads.count = 90;
  const auto changes = reader.read(made);
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->since_report, 3U);
  EXPECT_GE(changes->elapsed_seconds, 0);
  EXPECT_EQ(changes->open_descriptors, -3);
  EXPECT_EQ(changes->threads, 2);
  EXPECT_EQ(changes->green_threads, -10);
  EXPECT_FALSE(changes->cpu_seconds) << "neither report knows";
}

}  // namespace
