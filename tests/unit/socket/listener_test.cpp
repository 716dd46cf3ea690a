// Where it listens: what is there already is replaced only when it is ours and nobody's any more.
#include "socket/listener.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cerrno>
#include <fstream>

#include "support.hpp"
#include "support/in_child.hpp"
#include "support/scratch_directory.hpp"

namespace gmr::sockets {
namespace {

using testing::HasSubstr;

class Listener : public testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return (scratch_.path() / "report.sock").string(); }
  [[nodiscard]] int connect_error() const { return test::socket_client{path()}.error(); }

  test::scratch_directory scratch_;
};

TEST_F(Listener, ListensAndRemovesItsFileAtTheEnd) {
  {
    listener listens{path()};
    ASSERT_EQ(listens.open(), "");
    EXPECT_TRUE(listens.is_open());
    EXPECT_EQ(connect_error(), 0);
  }
  EXPECT_EQ(connect_error(), ENOENT);
}

TEST_F(Listener, ItsFileIsForItsUserOnlyWhateverTheUmask) {
  const mode_t before = ::umask(0);
  listener listens{path()};
  EXPECT_EQ(listens.open(), "");
  ::umask(before);
  struct stat status{};
  ASSERT_EQ(::lstat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST_F(Listener, ReplacesAStaleFile) {
  test::in_child([this] {
    listener gone{path()};
    EXPECT_EQ(gone.open(), "");
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);  // as a process that is killed
  });
  ASSERT_EQ(connect_error(), ECONNREFUSED);
  listener listens{path()};
  EXPECT_EQ(listens.open(), "");
  EXPECT_EQ(connect_error(), 0);
}

TEST_F(Listener, LeavesTheSocketOfALivingProcessAlone) {
  listener first{path()};
  ASSERT_EQ(first.open(), "");
  listener second{path()};
  EXPECT_EQ(second.open(), "another process answers there");
  EXPECT_FALSE(second.is_open());
  EXPECT_EQ(connect_error(), 0);
}

TEST_F(Listener, LeavesWhatIsNoSocketAlone) {
  std::ofstream{path()} << "precious";
  listener listens{path()};
  EXPECT_THAT(listens.open(), HasSubstr("no socket"));
  std::string content;
  std::ifstream{path()} >> content;
  EXPECT_EQ(content, "precious");
}

TEST_F(Listener, LeavesAFileThatHasReplacedItsOwn) {
  listener first{path()};
  ASSERT_EQ(first.open(), "");
  ASSERT_EQ(::unlink(path().c_str()), 0);
  listener second{path()};
  ASSERT_EQ(second.open(), "");
  first.close();
  EXPECT_EQ(connect_error(), 0) << "it was the second's";
}

TEST_F(Listener, ListensAtAnAbstractName) {
  const std::string name = "@gmr-test-" + std::to_string(::getpid());
  listener first{name};
  ASSERT_EQ(first.open(), "");
  EXPECT_EQ(test::socket_client{name}.error(), 0);
  listener second{name};
  EXPECT_EQ(second.open(), "another process answers there");
}

TEST_F(Listener, SaysWhyItCannotListen) {
  listener listens{(scratch_.path() / "nowhere/report.sock").string()};
  EXPECT_EQ(listens.open(), "No such file or directory");
}

TEST_F(Listener, AForkedChildDoesNotHaveIt) {
  listener listens{path()};
  ASSERT_EQ(listens.open(), "");
  const int number = listens.socket().number();
  test::in_child([number] {
    struct stat status{};
    EXPECT_EQ(::fstat(number, &status), -1);
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  });
  EXPECT_EQ(connect_error(), 0);
}

TEST_F(Listener, NoticesThatTheProgramHasClosedItAndListensAgain) {
  listener listens{path()};
  ASSERT_EQ(listens.open(), "");
  ASSERT_EQ(::close(listens.socket().number()), 0);
  EXPECT_FALSE(listens.is_open());
  EXPECT_EQ(listens.open(), "");
  EXPECT_EQ(connect_error(), 0);
}

}  // namespace
}  // namespace gmr::sockets
