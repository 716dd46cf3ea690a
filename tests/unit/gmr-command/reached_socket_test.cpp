// Sockets at paths as services have them: behind links, relative, in another root directory.
#include "report/reached_socket.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "os/announcement.hpp"
#include "report/by_socket.hpp"
#include "report/services.hpp"
#include "support/in_child.hpp"
#include "support/scratch_directory.hpp"

namespace gmr_command {
namespace {

namespace fs = std::filesystem;

class listening_socket final {
 public:
  explicit listening_socket(const fs::path& path) : number_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path.string().copy(&name.sun_path[0], sizeof name.sun_path - 1);
    EXPECT_EQ(::bind(number_, reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
    EXPECT_EQ(::listen(number_, 4), 0);
  }
  ~listening_socket() { ::close(number_); }
  listening_socket(const listening_socket&) = delete;
  listening_socket& operator=(const listening_socket&) = delete;

 private:
  int number_;
};

TEST(ReachedSocket, OfAPathOfAnyLength) {
  const gmr::test::scratch_directory folder;
  const fs::path deep = folder.path() / std::string(100, 'd') / std::string(100, 'e');
  fs::create_directories(deep);
  const listening_socket socket{folder.path() / "s"};
  fs::create_hard_link(folder.path() / "s", deep / "s");
  EXPECT_TRUE(is_answered(reached_socket{deep / "s", {}}));
}

TEST(ReachedSocket, ThatIsNotThereSaysWhy) {
  const gmr::test::scratch_directory folder;
  EXPECT_EQ((reached_socket{folder.path() / "none" / "s", {}}.error()), ENOENT);
  const listening_socket socket{folder.path() / "s"};
  EXPECT_EQ((reached_socket{folder.path() / "s" / "s", {}}.error()), ENOTDIR);
  const auto answer = ask_on_socket(folder.path() / "s" / "s", {}, {});
  EXPECT_THAT(answer.unreachable, testing::HasSubstr("Not a directory"));
}

TEST(ReachedSocket, OfARelativePathIsBesideWhoSaysIt) {
  const gmr::test::scratch_directory folder;
  fs::create_directory(folder.path() / "run");
  const listening_socket socket{folder.path() / "run" / "s"};
  gmr::test::in_child([&] {
    const pid_t parent = ::getppid();
    fs::current_path(folder.path());
    EXPECT_TRUE(is_answered(reached_socket{"run/s", {}}));
    EXPECT_TRUE(is_answered(reached_socket{"run/s", {.process = parent, .is_told = false}}));
    EXPECT_TRUE(is_answered(reached_socket{"run/s", {.process = ::getpid(), .is_told = true}}));
    EXPECT_EQ((reached_socket{"run/s", {.process = parent, .is_told = true}}.error()), ENOENT);
  });
}

// A container has /var/run -> /run, say.
TEST(ReachedSocket, BehindALinkOfAnotherRootDirectory) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root has another root directory";
  const gmr::test::scratch_directory folder;
  fs::create_directory(folder.path() / "sockets");
  fs::create_directory_symlink("/sockets", folder.path() / "run");
  fs::create_symlink("/sockets/s", folder.path() / "link");
  const listening_socket socket{folder.path() / "sockets" / "s"};
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[1]);
    char none = 0;
    const bool is_in = ::chroot(folder.path().c_str()) == 0 && ::chdir("/") == 0;
    ::raise(SIGSTOP);
    ::_exit(is_in && ::read(ends[0], &none, 1) == 0 ? 0 : 1);
  }
  ::close(ends[0]);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
  for (const char* const path : {"/sockets/s", "/run/s", "/link"})
    EXPECT_TRUE(is_answered(reached_socket{path, {.process = child, .is_told = true}})) << path;
  ::kill(child, SIGCONT);
  ::close(ends[1]);
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

// /var/run/user and /run/user are one, but what a process says and what is found differ.
TEST(FindServices, CountsASocketOnceWhateverItsDirectoryIsCalled) {
  const gmr::test::scratch_directory folder;
  fs::create_directory(folder.path() / "real");
  fs::create_directory_symlink(folder.path() / "real", folder.path() / "link");
  gmr::test::in_child([&] {
    const std::string name = "counted" + std::to_string(::getpid());
    const std::string file = name + '-' + std::to_string(::getpid()) + "-1.sock";
    const listening_socket socket{folder.path() / "real" / file};
    ASSERT_EQ(::setenv("XDG_RUNTIME_DIR", (folder.path() / "link").c_str(), 1), 0);
    gmr::os::announcement said;
    said.service = name;
    said.socket = folder.path() / "real" / file;
    gmr::os::announce(said);
    const auto found = find_services(name);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found.front().process, ::getpid());
  });
}

}  // namespace
}  // namespace gmr_command
