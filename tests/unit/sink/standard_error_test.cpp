// Standard error as a sink: whole reports, whoever shares it and whether or not anybody reads.
#include "sink/standard_error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <map>
#include <sstream>
#include <thread>

#include "sink/sink.hpp"
#include "sink/write_lock.hpp"
#include "support.hpp"

namespace gmr::sinks {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using test::in_child;
using test::standard_error_is;
using test::status_of;

struct pipe_ends {
  pipe_ends() { EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0); }
  ~pipe_ends() {
    close_read();
    close_write();
  }
  pipe_ends(const pipe_ends&) = delete;
  pipe_ends& operator=(const pipe_ends&) = delete;
  void close_read() { shut(ends[0]); }
  void close_write() { shut(ends[1]); }
  static void shut(int& end) {
    if (end >= 0) ::close(std::exchange(end, -1));
  }
  std::array<int, 2> ends{-1, -1};
};

// "A 0\n" + many lines "A 0 ..." + "A 0 end\n": easy to see whether it is whole.
std::string report_of(char who, int number, int lines) {
  const std::string name = std::string{who} + " " + std::to_string(number);
  std::string out = name + " begin\n";
  for (int line = 0; line < lines; ++line)
    out += name + std::string(60, '.') + "\n";
  return out + name + " end\n";
}

// How many reports of `out` are whole and contiguous; fails when one is not.
int whole_reports(const std::string& out, int lines) {
  std::istringstream in{out};
  int whole = 0;
  for (std::string first; std::getline(in, first);) {
    EXPECT_THAT(first, testing::EndsWith(" begin"));
    const std::string name = first.substr(0, first.rfind(' '));
    std::string line;
    for (int at = 0; at < lines; ++at) {
      std::getline(in, line);
      if (!line.starts_with(name + ".")) {
        ADD_FAILURE() << "in the report " << name << ": " << line;
        return whole;
      }
    }
    std::getline(in, line);
    EXPECT_EQ(line, name + " end");
    ++whole;
  }
  return whole;
}

int write_many(char who, int count, int lines) {
  for (int number = 0; number < count; ++number) {
    if (!write_standard_error({report_of(who, number, lines)}, 30s).empty()) return 1;
  }
  return 0;
}

TEST(StandardError, ForkedProcessesThatShareAPipeWriteWholeReports) {
  constexpr int count = 15;
  constexpr int lines = 4000;  // several times what a pipe holds
  pipe_ends pipe;
  std::array<pid_t, 3> children{};
  {
    const standard_error_is redirected{pipe.ends[1]};
    for (std::size_t at = 0; at < children.size(); ++at)
      children[at] = in_child(
          [at] { return write_many(static_cast<char>('A' + static_cast<int>(at)), count, lines); });
  }
  pipe.close_write();
  EXPECT_EQ(whole_reports(test::read_all(pipe.ends[0]), lines), 3 * count);
  for (const pid_t child : children)
    EXPECT_EQ(status_of(child), 0);
}

TEST(StandardError, ThreadsWriteWholeReportsAndLines) {
  constexpr int lines = 2000;
  pipe_ends pipe;
  std::string out;
  std::thread reader{[&] { out = test::read_all(pipe.ends[0]); }};
  {
    const standard_error_is redirected{pipe.ends[1]};
    std::thread other{[] { EXPECT_EQ(write_many('A', 10, lines), 0); }};
    EXPECT_EQ(write_many('B', 10, lines), 0);
    other.join();
  }
  pipe.close_write();
  reader.join();
  EXPECT_EQ(whole_reports(out, lines), 20);
}

TEST(StandardError, ProcessesThatShareAFileWriteWholeReports) {
  const test::scratch_directory directory;
  const std::filesystem::path path = directory.path() / "err";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  {
    const standard_error_is redirected{file};
    const pid_t a = in_child([] { return write_many('A', 20, 500); });
    const pid_t b = in_child([] { return write_many('B', 20, 500); });
    EXPECT_EQ(status_of(a) + status_of(b), 0);
  }
  ::close(file);
  EXPECT_EQ(whole_reports(test::content_of(path), 500), 40);
}

TEST(StandardError, GivesUpWhenNobodyReadsAndNeverTouchesOthersFlags) {
  pipe_ends pipe;
  const standard_error_is redirected{pipe.ends[1]};
  const auto start = clock::now();
  const std::string error = write_standard_error({std::string(1'000'000, 'x')}, 200ms);
  EXPECT_NE(error.find("nobody reads"), std::string::npos) << error;
  EXPECT_LT(clock::now() - start, 10s);
  EXPECT_EQ(::fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
}

TEST(StandardError, BeginsANewLineAfterAReportThatWasCut) {
  pipe_ends pipe;
  const standard_error_is redirected{pipe.ends[1]};
  ASSERT_NE(write_standard_error({std::string(1'000'000, 'x')}, 50ms), "");
  std::string out;
  std::thread reader{[&] { out = test::read_all(pipe.ends[0]); }};
  EXPECT_EQ(write_standard_error({"next\n"}, 30s), "");
  ::dup2(STDOUT_FILENO, STDERR_FILENO);
  pipe.close_write();
  reader.join();
  EXPECT_THAT(out, testing::EndsWith("x\nnext\n"));
}

TEST(StandardError, WaitsForASlowReader) {
  pipe_ends pipe;
  const std::string bytes(300'000, 'x');
  std::string out;
  std::thread reader{[&] {
    char buffer[8192];
    for (ssize_t got = 0; (got = ::read(pipe.ends[0], buffer, sizeof buffer)) > 0;) {
      out.append(buffer, static_cast<std::size_t>(got));
      std::this_thread::sleep_for(1ms);
    }
  }};
  {
    const standard_error_is redirected{pipe.ends[1]};
    EXPECT_EQ(write_standard_error({bytes}, 30s), "");
  }
  pipe.close_write();
  reader.join();
  EXPECT_EQ(out.size(), bytes.size());
}

TEST(StandardError, IsNotKilledWhenTheReaderIsGone) {
  pipe_ends pipe;
  pipe.close_read();
  const standard_error_is redirected{pipe.ends[1]};
  const int status = status_of(in_child([] {
    std::signal(SIGPIPE, SIG_DFL);
    const std::string error = write_standard_error({"report\n"}, 1s);
    sigset_t pending;
    sigpending(&pending);
    return error.empty() || sigismember(&pending, SIGPIPE) == 1 ? 1 : 0;
  }));
  EXPECT_EQ(status, 0);
}

TEST(StandardError, SaysSoWhenItIsClosed) {
  const int status = status_of(in_child([] {
    ::close(STDERR_FILENO);
    const auto start = clock::now();
    const std::string error = write_standard_error({"report\n"}, 5s);
    return error.find("closed") != std::string::npos && clock::now() - start < 2s ? 0 : 1;
  }));
  EXPECT_EQ(status, 0);
}

TEST(StandardError, SaysWhyItIsFull) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  std::string error;
  {
    const standard_error_is redirected{full};
    error = write_standard_error({"report\n"}, 1s);
  }
  ::close(full);
  EXPECT_NE(error.find("space"), std::string::npos) << error;
}

TEST(StandardError, MayBeASocket) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const std::string bytes = report_of('A', 0, 20'000);
  std::string out;
  std::thread reader{[&] { out = test::read_all(ends[0]); }};
  {
    const standard_error_is redirected{ends[1]};
    EXPECT_EQ(write_standard_error({bytes}, 30s), "");
  }
  ::close(ends[1]);
  reader.join();
  ::close(ends[0]);
  EXPECT_TRUE(out == bytes) << out.size() << " bytes";
}

TEST(StandardError, MayBeASocketThatNobodyReads) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  std::string error;
  {
    const standard_error_is redirected{ends[1]};
    error = write_standard_error({std::string(10'000'000, 'x')}, 100ms);
  }
  ::close(ends[0]);
  ::close(ends[1]);
  EXPECT_NE(error.find("nobody reads"), std::string::npos) << error;
}

TEST(StandardError, MayBeATerminalThatIsStopped) {
  int master = -1;
  int terminal = -1;
  if (::openpty(&master, &terminal, nullptr, nullptr, nullptr) != 0)
    GTEST_SKIP() << "no pseudo terminals here";
  std::string error;
  {
    const standard_error_is redirected{terminal};
    error = write_standard_error({std::string(1'000'000, 'x')}, 100ms);
  }
  ::close(terminal);
  ::close(master);
  EXPECT_NE(error.find("nobody reads"), std::string::npos) << error;
}

// A worker that was stopped in the middle of its report must not silence the others for ever.
TEST(StandardError, WritesAfterADeadlineAlthoughSomebodyHoldsTheLock) {
  pipe_ends pipe;
  pipe_ends ready;
  const standard_error_is redirected{pipe.ends[1]};
  const pid_t holder = in_child([&] {
    const write_lock lock{clock::now() + 10s};
    if (!lock.held()) return 1;
    EXPECT_EQ(::write(ready.ends[1], "x", 1), 1);
    ::pause();
    return 0;
  });
  char byte = 0;
  ASSERT_EQ(::read(ready.ends[0], &byte, 1), 1);
  const std::string error = write_standard_error({"report\n"}, 100ms);
  ::kill(holder, SIGKILL);
  status_of(holder);
  EXPECT_NE(error.find("did not finish"), std::string::npos) << error;
  char out[16] = {};
  EXPECT_EQ(::read(pipe.ends[0], out, sizeof out), 7);
}

TEST(StandardError, IsWrittenAfterAnotherProcessDiedWhileItWrote) {
  pipe_ends pipe;
  const standard_error_is redirected{pipe.ends[1]};
  status_of(in_child([] {
    const auto* const never_released = new write_lock{clock::now() + 10s};
    return never_released->held() ? 0 : 1;
  }));
  EXPECT_EQ(write_standard_error({"report\n"}, 30s), "");
}

// The lock by which a service makes sure that it runs once, on the log file that is its standard
// error: other processes see it for as long as the service holds it.
TEST(StandardError, LeavesTheProgramsLockOnItsFile) {
  const test::scratch_directory directory;
  const std::filesystem::path path = directory.path() / "log";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const standard_error_is redirected{file};
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  ASSERT_EQ(::fcntl(file, F_SETLK, &lock), 0);
  EXPECT_EQ(write_standard_error({"report\n"}, 1s), "");
  const int status = status_of(in_child([&] {
    struct flock seen{};
    seen.l_type = F_WRLCK;
    seen.l_whence = SEEK_SET;
    return ::fcntl(file, F_GETLK, &seen) == 0 && seen.l_type == F_WRLCK ? 0 : 1;
  }));
  EXPECT_EQ(status, 0);
  ::close(file);
}

TEST(StandardError, GetsAllPiecesByOneCallWhereOthersAppendToTheFile) {
  const test::scratch_directory directory;
  const std::filesystem::path path = directory.path() / "log";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const pid_t other = in_child([&] {
    for (;;)
      if (::write(file, "other\n", 6) != 6) return 1;
  });
  {
    const standard_error_is redirected{file};
    for (int i = 0; i < 2000; ++i)
      EXPECT_EQ(write_standard_error({"begin\n", "end\n"}, 1s), "");
  }
  ::kill(other, SIGKILL);
  status_of(other);
  ::close(file);
  std::istringstream in{test::content_of(path)};
  int whole = 0;
  for (std::string line; std::getline(in, line);) {
    if (line != "begin") continue;
    ASSERT_TRUE(std::getline(in, line));
    ASSERT_EQ(line, "end");
    ++whole;
  }
  EXPECT_EQ(whole, 2000);
}

TEST(Say, WritesOneLine) {
  pipe_ends pipe;
  {
    const standard_error_is redirected{pipe.ends[1]};
    say("hello");
  }
  pipe.close_write();
  EXPECT_EQ(test::read_all(pipe.ends[0]), "gmr: hello\n");
}

}  // namespace
}  // namespace gmr::sinks
