// Reports of a process that must not call process_vm_readv, as in containers with a strict policy.
#include <gmock/gmock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <boost/context/fiber.hpp>
#include <cerrno>
#include <mutex>
#include <string>
#include <thread>

#include "gmr/reporter.hpp"
#include "live_process.hpp"
#include "support/in_child.hpp"
#include "support/refused_call.hpp"

namespace service {

[[gnu::noinline]] void take_both(std::mutex& first, std::mutex& second, std::atomic<int>& holding,
                                 std::atomic<int>& tid) {
  tid = gettid();
  const std::lock_guard one{first};
  ++holding;
  while (holding < 2)
    std::this_thread::yield();
  const std::lock_guard other{second};
}

[[gnu::noinline]] boost::context::fiber wait_in_fiber(boost::context::fiber&& caller) {
  boost::context::fiber back = std::move(caller).resume();
  return back;
}

[[gnu::noinline]] void spin(const std::atomic<bool>& stop, std::atomic<int>& tid) {
  tid = gettid();
  while (!stop) {
  }
}

}  // namespace service

namespace gmr::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

bool has_frame(const stack& resolved, const std::string& function) {
  return std::any_of(resolved.frames.begin(), resolved.frames.end(), [&](const frame* each) {
    return each->function.find(function) != std::string::npos;
  });
}

const thread_info* find(const report& made, pid_t id) {
  const auto found = std::find_if(made.threads.begin(), made.threads.end(),
                                  [&](const thread_info& each) { return each.id == id; });
  return found == made.threads.end() ? nullptr : &*found;
}

// Two threads that wait for each other's mutex, one that must be signalled, and a fiber.
class stuck_service {
 public:
  stuck_service() {
    fiber_ = std::move(fiber_).resume();
    std::thread{[this] { service::take_both(one_, other_, holding_, ids_[0]); }}.detach();
    std::thread{[this] { service::take_both(other_, one_, holding_, ids_[1]); }}.detach();
    std::thread{[this] { service::spin(stop_, ids_[2]); }}.detach();
    wait_until([this] { return holding_ == 2 && ids_[2] != 0; });
  }
  [[nodiscard]] pid_t id(std::size_t thread) const { return ids_[thread]; }

 private:
  std::mutex one_;
  std::mutex other_;
  std::atomic<int> holding_ = 0;
  std::atomic<bool> stop_ = false;
  std::array<std::atomic<int>, 3> ids_{};
  boost::context::fiber fiber_{service::wait_in_fiber};
};

bool has_finding(const report& made, finding_kind kind) {
  return std::any_of(made.findings.begin(), made.findings.end(),
                     [&](const finding& each) { return each.kind == kind; });
}

report report_of_deadlock(reporter& from) {
  report made;
  wait_until([&] {
    made = from.make();
    return has_finding(made, finding_kind::deadlock) || !made.notes.empty();
  });
  return made;
}

class RefusedMemory : public ::testing::TestWithParam<int> {};

TEST_P(RefusedMemory, TheReportIsWhole) {
  in_child([] {
    auto* const stuck = new stuck_service;  // for ever, as its threads are
    refuse_call(SYS_process_vm_readv, static_cast<unsigned>(GetParam()));
    reporter from{package{.name = "refused", .version = "1"}, settings{}};
    const report made = report_of_deadlock(from);

    EXPECT_TRUE(has_finding(made, finding_kind::deadlock));
    for (const std::size_t each : {0U, 1U}) {
      const thread_info* const thread = find(made, stuck->id(each));
      ASSERT_NE(thread, nullptr);
      EXPECT_EQ(thread->capture, capture_outcome::ok) << thread->note;
      EXPECT_TRUE(has_frame(thread->stack, "take_both"));
      ASSERT_TRUE(thread->waits_for);
      EXPECT_EQ(thread->waits_for->kind, wait_kind::mutex);
      EXPECT_EQ(thread->waits_for->owner, stuck->id(1 - each));
    }
    const thread_info* const spinning = find(made, stuck->id(2));
    ASSERT_NE(spinning, nullptr);
    EXPECT_EQ(spinning->capture, capture_outcome::ok) << spinning->note;
    EXPECT_TRUE(has_frame(spinning->stack, "spin"));
    ASSERT_EQ(made.green_threads.count, 1U);
    EXPECT_TRUE(has_frame(made.green_threads.stacks.at(made.green_threads.groups.at(0).stack),
                          "wait_in_fiber"));
    EXPECT_THAT(made.modules, Not(IsEmpty()));
    EXPECT_THAT(made.notes, IsEmpty());
  });
}

TEST_P(RefusedMemory, WhatIsLostWithItIsSaidOnceAndWhy) {
  in_child([] {
    auto* const stuck = new stuck_service;
    refuse_call(SYS_process_vm_readv, static_cast<unsigned>(GetParam()));
    refuse_call(SYS_pread64, EACCES);
    reporter from{package{.name = "refused", .version = "1"}, settings{}};
    const report made = report_of_deadlock(from);

    ASSERT_THAT(made.notes, SizeIs(1));
    EXPECT_THAT(made.notes.front(), HasSubstr(::strerrordesc_np(GetParam())));
    EXPECT_THAT(made.notes.front(), HasSubstr("/proc/self/mem: Permission denied"));
    const thread_info* const thread = find(made, stuck->id(0));
    ASSERT_NE(thread, nullptr);
    EXPECT_EQ(thread->capture, capture_outcome::not_signalled);
    EXPECT_THAT(thread->note, HasSubstr("memory can't be read"));
    EXPECT_THAT(to_text(made), Not(HasSubstr("no findings\n")));
  });
}

INSTANTIATE_TEST_SUITE_P(Policies, RefusedMemory, ::testing::Values(EPERM, ENOSYS),
                         [](const auto& test) { return ::strerrorname_np(test.param); });

}  // namespace
}  // namespace gmr::test
