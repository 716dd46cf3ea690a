// Which calls see EINTR because of a capture: exactly those that docs/threads.md lists, and only
// when the stack can't be read without a signal.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/syscall.h>

#include <fstream>
#include <set>

#include "blocking_calls.hpp"
#include "capture/restart.hpp"
#include "capture/signal_action.hpp"
#include "capture/thread_capturer.hpp"
#include "test_threads.hpp"

namespace gmr::capture {
namespace {

using testing::blocking_call;
using testing::capture_all;
using testing::find;
using testing::test_thread;
using testing::wait_until;

// A thread in the call, until it is told to come back.
class caller {
 public:
  explicit caller(const blocking_call& call) : call_(call) {
    kernel_action nothing = make_handler_action([](int, siginfo_t*, void*) noexcept {});
    nothing.flags &= ~static_cast<unsigned long>(SA_RESTART);
    set_action(SIGUSR1, nothing);
    thread_ = std::make_unique<test_thread>([this] {
      errno = 0;
      result_ = call_.make();
      error_ = errno;
      returned_ = true;
    });
    wait_until([this] {
      if (returned_) return true;
      const auto blocked = os::task_files{}.blocked_in(thread_->id());
      return blocked && blocked->number == call_.number;
    });
  }
  ~caller() {
    wait_until([this] {
      if (!returned_) syscall(SYS_tgkill, getpid(), thread_->id(), SIGUSR1);
      return returned_.load();
    });
  }
  caller(const caller&) = delete;
  caller& operator=(const caller&) = delete;

  [[nodiscard]] pid_t id() const { return thread_->id(); }
  [[nodiscard]] bool returned() const { return returned_; }
  // io_uring is forbidden in many places.
  [[nodiscard]] bool unsupported() const {
    return returned_ && (error_ == ENOSYS || error_ == EPERM);
  }
  [[nodiscard]] int error() const { return error_; }

 private:
  blocking_call call_;
  long result_ = 0;
  std::atomic<int> error_ = 0;
  std::atomic<bool> returned_ = false;
  std::unique_ptr<test_thread> thread_;
};

// Capturers are made anew, since one does not look again at a thread that has not run.
void capture_often(const caller& waiting, bool exact, bool expect_signal) {
  for (int i = 0; i < 10; ++i) {
    thread_capture_settings settings;
    settings.deadline = std::chrono::seconds{5};
    thread_capturer capturer{settings};
    for (int again = 0; again < 10; ++again) {
      const auto& threads = capture_all(capturer, [exact](const stack_snapshot&) { return exact; });
      const auto* found = find(threads, waiting.id());
      ASSERT_NE(found, nullptr);
      EXPECT_EQ(found->outcome, capture_outcome::ok) << found->note;
      EXPECT_EQ(found->stack.full_registers, expect_signal);
    }
  }
}

class Interruption : public ::testing::TestWithParam<blocking_call> {};

TEST_P(Interruption, NoneWhereTheStackIsReadWithoutASignal) {
  const caller waiting{GetParam()};
  if (waiting.unsupported()) GTEST_SKIP() << "this system has no " << GetParam().name;
  capture_often(waiting, true, false);
  EXPECT_FALSE(waiting.returned()) << strerror(waiting.error());
}

TEST_P(Interruption, OtherwiseItIs) {
  const caller waiting{GetParam()};
  if (waiting.unsupported()) GTEST_SKIP() << "this system has no " << GetParam().name;
  const auto call = os::task_files{}.blocked_in(waiting.id());
  ASSERT_TRUE(call);
  EXPECT_TRUE(is_never_restarted(*call));
  thread_capturer capturer{{}};
  EXPECT_EQ(find(capture_all(capturer), waiting.id())->outcome, capture_outcome::ok);
  wait_until([&] { return waiting.returned(); });
  EXPECT_EQ(waiting.error(), EINTR);
}

class Restarted : public ::testing::TestWithParam<blocking_call> {};

TEST_P(Restarted, GoesOnAfterASignal) {
  const caller waiting{GetParam()};
  if (waiting.unsupported()) GTEST_SKIP() << "this system has no " << GetParam().name;
  ASSERT_FALSE(waiting.returned()) << strerror(waiting.error());
  const auto call = os::task_files{}.blocked_in(waiting.id());
  ASSERT_TRUE(call);
  EXPECT_FALSE(is_never_restarted(*call));
  capture_often(waiting, false, true);
  EXPECT_FALSE(waiting.returned()) << strerror(waiting.error());
}

std::string name_of(const ::testing::TestParamInfo<blocking_call>& info) {
  std::string name = info.param.name;
  std::replace_if(name.begin(), name.end(), [](char each) { return std::isalnum(each) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Calls, Interruption, ::testing::ValuesIn(testing::never_restarted_calls()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Calls, Restarted, ::testing::ValuesIn(testing::restarted_calls()),
                         name_of);

// The list in the documentation: its lines begin with a name, or "with a time-out".
std::set<std::string> documented() {
  std::ifstream page{GMR_THREADS_PAGE};
  std::set<std::string> names;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("## ")) inside = line == "## Calls that can return EINTR";
    if (!inside || !(line.starts_with("- `") || line.starts_with("- with"))) continue;
    const bool timed = line.find("with a time-out") != std::string::npos;
    for (std::size_t at = line.find('`'); at != std::string::npos;) {
      const std::size_t end = line.find('`', at + 1);
      const std::string name = line.substr(at + 1, end - at - 1);
      if (!name.starts_with("SO_")) names.insert(timed ? name + " with a time-out" : name);
      at = line.find('`', end + 1);
    }
  }
  return names;
}

TEST(InterruptionPage, ListsExactlyTheCallsThatAreTested) {
  std::set<std::string> tested;
  for (const blocking_call& each : testing::never_restarted_calls())
    tested.insert(each.name);
  EXPECT_EQ(documented(), tested);
}

}  // namespace
}  // namespace gmr::capture
