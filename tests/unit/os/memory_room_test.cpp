// What is left of memory, as control groups of both versions tell it.
#include "os/memory_room.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t mib = 1U << 20;

class MemoryRoom : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("gmr-memory-room-" + std::to_string(::getpid()));
    write("proc/meminfo", "MemTotal: 8388608 kB\nMemAvailable:   1048576 kB\n");
    write("proc/self/status", "VmSize:\t 1024 kB\nVmData:\t 512 kB\n");
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& content) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream{root_ / path} << content;
  }
  void write_group(const std::string& path, const std::string& limit, std::uint64_t used,
                   std::uint64_t cached) {
    write(path + "/memory.max", limit + "\n");
    write(path + "/memory.current", std::to_string(used) + "\n");
    write(path + "/memory.stat", "anon 1\ninactive_file " + std::to_string(cached) + "\n");
  }
  [[nodiscard]] gmr::os::memory_room look() const {
    return gmr::os::look_at_memory(root_.string());
  }

  fs::path root_;
};

TEST_F(MemoryRoom, OfTheMachine) {
  EXPECT_EQ(look().bytes, 1024 * mib);
  EXPECT_EQ(look().limit, "the machine's memory (MemAvailable)");
}

TEST_F(MemoryRoom, OfAGroupAndThoseAbove) {
  write("proc/self/mountinfo", "30 1 0:1 / /cg rw - cgroup2 cgroup2 rw\n");
  write("proc/self/cgroup", "0::/outer/inner\n");
  write_group("cg/outer/inner", "max", 20 * mib, 0);
  write_group("cg/outer", std::to_string(50 * mib), 40 * mib, 4 * mib);
  EXPECT_EQ(look().bytes, 14 * mib) << "what only caches files is free";
  EXPECT_EQ(look().limit, "memory.max of the control group /outer");
  write("cg/outer/inner/memory.high", std::to_string(22 * mib));
  EXPECT_EQ(look().bytes, 2 * mib);
  EXPECT_EQ(look().limit, "memory.high of the control group /outer/inner");
}

TEST_F(MemoryRoom, OfAGroupThatAContainerSeesAsTheTop) {
  write("proc/self/mountinfo", "30 1 0:1 /docker/abc /cg rw - cgroup2 cgroup2 rw\n");
  write("proc/self/cgroup", "0::/docker/abc\n");
  write_group("cg", std::to_string(32 * mib), 30 * mib, 0);
  EXPECT_EQ(look().bytes, 2 * mib);
  EXPECT_EQ(look().limit, "memory.max of the control group /docker/abc");
}

TEST_F(MemoryRoom, OfAGroupWhoseNameOnlyBeginsAsThatOfTheTop) {
  write("proc/self/mountinfo", "30 1 0:1 /docker/abc /cg rw - cgroup2 cgroup2 rw\n");
  write("proc/self/cgroup", "0::/docker/abcdef\n");
  write_group("cg", std::to_string(32 * mib), 30 * mib, 0);
  EXPECT_EQ(look().bytes, 2 * mib);
}

TEST_F(MemoryRoom, OfVersion1) {
  write("proc/self/mountinfo",
        "30 1 0:1 / /cg/cpu rw - cgroup cgroup rw,cpu\n"
        "31 1 0:2 / /cg/memory rw - cgroup cgroup rw,memory\n"
        "32 1 0:3 / /cg/unified rw - cgroup2 cgroup2 rw\n");
  write("proc/self/cgroup", "4:memory:/app\n2:cpu:/\n0::/\n");
  write("cg/memory/memory.limit_in_bytes", "9223372036854771712\n");
  write("cg/memory/app/memory.limit_in_bytes", std::to_string(64 * mib));
  write("cg/memory/app/memory.usage_in_bytes", std::to_string(60 * mib));
  write("cg/memory/app/memory.stat", "total_inactive_file 1048576\ntotal_active_file 2097152\n");
  EXPECT_EQ(look().bytes, 7 * mib);
  EXPECT_EQ(look().limit, "memory.limit_in_bytes of the control group /app");
}

TEST_F(MemoryRoom, OfTheProcessItself) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers have more address space in use than the limit that is set here";
#endif
  constexpr std::uint64_t much = 1U << 16;  // MiB, as if it were in use
  write("proc/self/status", "VmSize:\t " + std::to_string(much * 1024) + " kB\nVmData:\t 512 kB\n");
  rlimit before{};
  ::getrlimit(RLIMIT_AS, &before);
  rlimit lower = before;
  lower.rlim_cur = (much + 4) * mib;
  ::setrlimit(RLIMIT_AS, &lower);
  const auto left = look();
  ::setrlimit(RLIMIT_AS, &before);
  EXPECT_EQ(left.bytes, 4 * mib);
  EXPECT_EQ(left.limit, "RLIMIT_AS");
}

TEST_F(MemoryRoom, WhatCannotBeReadIsNoLimit) {
  fs::remove_all(root_);
  EXPECT_EQ(look().bytes, UINT64_MAX);
  EXPECT_EQ(look().limit, "");
}

}  // namespace
