#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>

#include "facts/facts.hpp"
#include "facts/process_parts.hpp"
#include "os/hidden_process.hpp"
#include "support/values.hpp"

namespace {

using values::at;

// A child with a child, both waiting to be killed.
class family final {
 public:
  family() {
    std::array<int, 2> ready{};
    if (::pipe(ready.data()) != 0) throw std::runtime_error("pipe");
    child_ = ::fork();
    if (child_ == 0) {
      ::prctl(PR_SET_NAME, "odd) R (name");
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      pid_t grandchild = ::fork();
      if (grandchild == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        grandchild = ::getpid();
        if (::write(ready[1], &grandchild, sizeof grandchild) < 0) ::_exit(1);
      }
      for (;;)
        ::pause();
    }
    if (::read(ready[0], &grandchild_, sizeof grandchild_) < 0) grandchild_ = 0;
    ::close(ready[0]);
    ::close(ready[1]);
  }
  ~family() {
    ::kill(grandchild_, SIGKILL);
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  family(const family&) = delete;
  family& operator=(const family&) = delete;

  [[nodiscard]] pid_t child() const { return child_; }
  [[nodiscard]] pid_t grandchild() const { return grandchild_; }
  void kill_grandchild() const { ::kill(grandchild_, SIGKILL); }

 private:
  pid_t child_ = 0;
  pid_t grandchild_ = 0;
};

gmr::value children() {
  gmr::analyse::socket_list sockets;
  return at(gmr::facts::process_section(sockets), "children");
}

std::uint64_t id(pid_t process) {
  return static_cast<std::uint64_t>(process);
}

TEST(ProcessTree, IsEmptyWithoutChildren) {
  EXPECT_TRUE(values::items(children()).empty());
}

TEST(ProcessTree, ShowsChildrenAndTheirChildren) {
  const family started;
  const gmr::value tree = children();
  ASSERT_EQ(values::items(tree).size(), 1U);
  const gmr::value& child = values::items(tree)[0];
  EXPECT_EQ(values::number(at(child, "pid")), id(started.child()));
  EXPECT_EQ(values::text(at(child, "name")), "odd) R (name");
  const gmr::value& grandchild = values::items(at(child, "children")).at(0);
  EXPECT_EQ(values::number(at(grandchild, "pid")), id(started.grandchild()));
  EXPECT_FALSE(values::has(grandchild, "children"));
}

TEST(ProcessTree, ShowsZombies) {
  const family started;
  started.kill_grandchild();
  std::string state;
  while (state != "zombie") {
    const gmr::value tree = children();
    const gmr::value& child = values::items(tree).at(0);
    state = values::text(at(values::items(at(child, "children")).at(0), "state"));
  }
  EXPECT_EQ(state, "zombie");
}

// What reads names for a report may still be there when the next one is made.
TEST(ProcessTree, LeavesOutTheReportersOwnHelper) {
  using namespace std::chrono_literals;
  std::ifstream file{"/bin/sleep", std::ios::binary};
  const std::string program{std::istreambuf_iterator<char>{file}, {}};
  gmr::os::start_failure failure;
  gmr::os::hidden_process helper =
      gmr::os::hidden_process::start({std::as_bytes(std::span{program}), {"sleep", "600"}, {}},
                                     std::chrono::steady_clock::now() + 60s, failure);
  ASSERT_TRUE(helper.is_running()) << failure.step;
  const family started;
  ASSERT_EQ(values::items(children()).size(), 1U);
  EXPECT_EQ(values::number(at(values::items(children())[0], "pid")), id(started.child()));
}

TEST(ProcessTree, ShowsChildrenOfEveryThread) {
  std::unique_ptr<family> started;
  std::atomic<bool> done{false};
  std::jthread parent{[&] {
    started = std::make_unique<family>();
    done.store(true), done.notify_all();
  }};
  done.wait(false);
  EXPECT_EQ(values::items(children()).size(), 1U);
  started.reset();
}

}  // namespace
