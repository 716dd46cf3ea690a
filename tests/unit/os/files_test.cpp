#include "os/files.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <string>

#include "os/file_text.hpp"
#include "os/task_files.hpp"
#include "support/in_child.hpp"
#include "support/no_descriptors.hpp"

namespace gmr::os {
namespace {

using ::testing::Contains;

// A program that closes a descriptor which it does not know, and opens something of its own there.
int take_over(int number) {
  const int own = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  EXPECT_EQ(::dup2(own, number), number);
  ::close(own);
  return number;
}

TEST(Descriptor, IsClosedWhenItIsNotNeeded) {
  int number = -1;
  {
    const descriptor file{open_file(AT_FDCWD, "/proc/self/stat", O_RDONLY)};
    number = file.number();
    ASSERT_GE(number, 0);
  }
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

TEST(Descriptor, OfSomebodyElseIsNeitherUsedNorClosed) {
  int number = -1;
  {
    descriptor file{open_file(AT_FDCWD, "/proc/self/stat", O_RDONLY)};
    number = take_over(file.number());
    EXPECT_TRUE(file.is_open());
    EXPECT_EQ(file.number(), -1);
    descriptor other{open_file(AT_FDCWD, "/proc/self/stat", O_RDONLY)};
    take_over(other.number());
    EXPECT_EQ(other.close(), EBADF);
  }
  EXPECT_GE(::fcntl(number, F_GETFD), 0);
}

TEST(Files, CanBeReadThoughNoDescriptorIsLeft) {
  test::in_child([] {
    keep_spare_descriptors();
    test::use_up_descriptors();
    // No matchers: UBSan looks at their vptr by way of a descriptor.
    EXPECT_TRUE(read_file("/proc/self/stat").content.starts_with(std::to_string(::getpid())));
    std::set<std::string> names;
    directory_names listed{AT_FDCWD, "/proc/self"};
    while (const char* const name = listed.next())
      names.insert(name);
    EXPECT_EQ(listed.error(), 0);
    EXPECT_TRUE(names.contains("stat"));
  });
}

TEST(Files, SocketsAreMadeAndClientsAcceptedThoughNoDescriptorIsLeft) {
  test::in_child([] {
    keep_spare_descriptors();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;  // and no path: the kernel chooses a name
    socklen_t size = sizeof(sa_family_t);
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
    const int client = ::socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(::bind(listener, plain, size), 0);
    EXPECT_EQ(::listen(listener, 1), 0);
    size = sizeof address;
    EXPECT_EQ(::getsockname(listener, plain, &size), 0);
    EXPECT_EQ(::connect(client, plain, size), 0);
    test::use_up_descriptors();
    const int accepted = accept_client(listener);
    EXPECT_GE(accepted, 0);
    EXPECT_NE(::fcntl(accepted, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_EQ(::send(client, "x", 1, 0), 1);
    char got = ' ';
    EXPECT_EQ(::recv(accepted, &got, 1, MSG_WAITALL), 1);
    EXPECT_EQ(close_file(accepted), 0);
    const int made = open_socket(AF_UNIX, SOCK_DGRAM, 0);
    EXPECT_GE(made, 0);
    EXPECT_EQ(close_file(made), 0);
  });
}

TEST(Files, SayWhyTheyCanNotBeRead) {
  EXPECT_EQ(read_file("/nonexistent").error, ENOENT);
  EXPECT_EQ(read_link("/proc/self/stat").error, EINVAL);
  directory_names none{AT_FDCWD, "/proc/self/stat"};
  EXPECT_EQ(none.next(), nullptr);
  EXPECT_EQ(none.error(), ENOTDIR);
}

TEST(TaskFiles, AreReadThoughTheProgramHasClosedWhatItDidNotOpen) {
  test::in_child([] {
    task_files files;
    for (int number = 3; number < 64; ++number)
      take_over(number);
    EXPECT_THAT(files.list(), Contains(::gettid()));
    ASSERT_TRUE(files.status(::gettid()));
    for (int number = 3; number < 64; ++number)
      take_over(number);
    EXPECT_THAT(files.list(), Contains(::gettid()));
  });
}

}  // namespace
}  // namespace gmr::os
