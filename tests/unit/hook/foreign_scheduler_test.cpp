// The foreign scheduler that docs/tracing.md shows: it compiles, and a report has what it lists.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <latch>
#include <thread>

#include "gmr/reporter.hpp"
#include "hook/schedulers.hpp"

// [example]
#include <gmr/trace/scheduler.hpp>

#include <time.h>
#include <deque>
#include <functional>
#include <mutex>
#include <string>

// A runtime of one's own: tasks that wait for their turn in a queue, each a list of steps.
class task_queue final : public gmr::scheduler {
 public:
  struct step {
    gmr::logical_frame where;  // string literals: they must live as long as the process
    std::function<void()> run;
  };

  void add(std::string name, std::deque<step> steps) {
    const std::lock_guard lock{mutex_};
    tasks_.push_back({gmr::next_green_thread_id(), std::move(name), std::move(steps), now()});
  }

  [[nodiscard]] std::string_view name() const noexcept override { return "task queue"; }

  // Called on the reporter's thread. The lock is never held while a step runs: a task that is stuck
  // must not stop the report.
  void list(gmr::green_thread_visitor& visitor) override {
    const std::lock_guard lock{mutex_};
    for (const task& each : tasks_) {
      gmr::green_thread_view view;
      view.id = each.id;
      view.kind = gmr::green_thread_kind::coroutine;
      view.state = gmr::green_thread_state::ready;
      view.name = each.name;
      view.waits_for = "turn";
      view.suspended_at = each.since;
      view.frames = {&each.steps.front().where, 1};
      visitor.visit(view);
    }
  }

 private:
  struct task {
    std::uint64_t id;
    std::string name;
    std::deque<step> steps;
    std::uint64_t since;
  };

  static std::uint64_t now() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u +
           static_cast<std::uint64_t>(time.tv_nsec);
  }

  std::mutex mutex_;
  std::deque<task> tasks_;
  gmr::scheduler_registration registration_ = gmr::register_scheduler(*this);  // the last member
};
// [example]

namespace gmr::test {
namespace {

TEST(ForeignScheduler, IsPartOfEveryReport) {
  task_queue tasks;
  tasks.add("import", {{{"read_file", "import.cpp", 12}, [] {}}});
  tasks.add("export", {{{"read_file", "import.cpp", 12}, [] {}}});
  reporter reporting{{.name = "test", .version = "1"}, settings{}};
  const report made = reporting.make();
  ASSERT_EQ(made.green_threads.groups.size(), 1U);
  const green_thread_group& group = made.green_threads.groups[0];
  EXPECT_EQ(group.count, 2U);
  EXPECT_EQ(group.state, green_thread_state::ready);
  EXPECT_EQ(group.names, (std::vector<std::string>{"import", "export"}));
  EXPECT_EQ(group.waits_for->word(), "turn");
  ASSERT_EQ(made.green_threads.stacks[group.stack].frames.size(), 1U);
  EXPECT_EQ(made.green_threads.stacks[group.stack].frames[0]->line, 12U);
}

TEST(ForeignScheduler, IsGoneWithItsObject) {
  {
    task_queue tasks;
  }
  reporter reporting{{.name = "test", .version = "1"}, settings{}};
  EXPECT_EQ(reporting.make().green_threads.count, 0U);
}

class slow_scheduler final : public scheduler {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "slow"; }
  void list(green_thread_visitor& /*visitor*/) override {
    begun.count_down();
    go_on.wait();
  }
  std::latch begun{1};
  std::latch go_on{1};
};

#if !defined(__SANITIZE_THREAD__)
// As when a program forks while a report is made, and its child exits: sources unregister then.
TEST(ForeignScheduler, AListingHoldsNoForkedChildUp) {
  slow_scheduler slow;
  const scheduler_registration registered = register_scheduler(slow);
  std::thread lister{[] {
    trace::for_each_scheduler([](scheduler& each) {
      struct : green_thread_visitor {
        void visit(const green_thread_view& /*view*/) override {}
      } nobody;
      each.list(nobody);
    });
  }};
  slow.begun.wait();
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr unsigned seconds = 60;
    ::alarm(seconds);
    {
      const task_queue tasks;
    }
    ::_exit(0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  slow.go_on.count_down();
  lister.join();
}
#endif

}  // namespace
}  // namespace gmr::test
