// Which separate debug file is believed to belong to a library.
#include "symbolize/helper/debug_file.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace {

using gmr::symbolize::find_separate_debug_file;
using gmr::symbolize::has_debug_information;
using gmr::unwind::elf_image;
namespace fs = std::filesystem;

class DebugFile : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(original("gcc-O3")) || std::string(GMR_OBJCOPY).empty())
      GTEST_SKIP() << "needs g++ and objcopy";
    root_ = fs::temp_directory_path() / ("gmr-debug-file-" + std::to_string(::getpid()));
    fs::create_directories(root_);
    library_ = (root_ / "libtruths.so").string();
    copy("--strip-all", "gcc-O3", library_);
    stripped_ = elf_image::open(library_, elf_image::access::map);
    ASSERT_NE(stripped_.get(), nullptr);
    id_ = gmr::unwind::build_id_of(stripped_.get());
    ASSERT_EQ(id_.size(), 40U);
  }
  void TearDown() override {
    ::unsetenv("DEBUGINFOD_URLS");
    ::unsetenv("DEBUGINFOD_CACHE_PATH");
    if (!root_.empty()) fs::remove_all(root_);
  }

  static std::string original(const std::string& name) {
    return std::string(GMR_TRUTHS) + "/truths-" + name + ".so";
  }
  static void copy(const std::string& how, const std::string& name, const fs::path& to) {
    fs::create_directories(to.parent_path());
    const std::string command =
        std::string(GMR_OBJCOPY) + " " + how + " " + original(name) + " " + to.string();
    ASSERT_EQ(std::system(command.c_str()), 0);
  }
  [[nodiscard]] fs::path by_id() const {
    return root_ / ".build-id" / id_.substr(0, 2) / (id_.substr(2) + ".debug");
  }
  [[nodiscard]] std::string found() const {
    const elf_image image = find_separate_debug_file(stripped_.get(), library_, root_.string());
    EXPECT_TRUE(image.get() == nullptr || has_debug_information(image.get()));
    return image.path();
  }

  fs::path root_;
  std::string library_;
  elf_image stripped_;
  std::string id_;
};

TEST_F(DebugFile, IsFoundByBuildId) {
  EXPECT_EQ(found(), "");
  copy("--only-keep-debug", "gcc-O3", by_id());
  EXPECT_EQ(found(), by_id());
}

TEST_F(DebugFile, OfAnotherBuildIsNotBelieved) {
  copy("--only-keep-debug", "gcc-O0", by_id());
  EXPECT_EQ(found(), "");
}

TEST_F(DebugFile, IsFoundByItsLinkInTheFolderOfDebugFiles) {
  const fs::path file = root_ / root_.relative_path() / "truths.debug";
  copy("--only-keep-debug", "gcc-O3", file);
  copy("--strip-all --add-gnu-debuglink=" + file.string(), "gcc-O3", library_);
  stripped_ = elf_image::open(library_, elf_image::access::map);
  EXPECT_EQ(found(), file);
}

TEST_F(DebugFile, ThatAClientOfDebuginfodFetchedIsUsedWhereThatIsConfigured) {
  const fs::path cached = root_ / "cache" / id_ / "debuginfo";
  copy("--only-keep-debug", "gcc-O3", cached);
  ::setenv("DEBUGINFOD_CACHE_PATH", (root_ / "cache").c_str(), 1);
  EXPECT_EQ(found(), "");
  ::setenv("DEBUGINFOD_URLS", "http://127.0.0.1:9", 1);
  EXPECT_EQ(found(), cached);
}

// A server that would answer for ever.
TEST_F(DebugFile, IsNeverLookedForOnTheNetwork) {
  const int server = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(server, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(server, 1), 0);
  ASSERT_EQ(::getsockname(server, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string url = "http://127.0.0.1:" + std::to_string(::ntohs(address.sin_port));
  ::setenv("DEBUGINFOD_URLS", url.c_str(), 1);
  ::setenv("DEBUGINFOD_CACHE_PATH", root_.c_str(), 1);
  EXPECT_EQ(found(), "");
  pollfd waiting{server, POLLIN, 0};
  EXPECT_EQ(::poll(&waiting, 1, 0), 0) << "somebody connected";
  ::close(server);
}

}  // namespace
