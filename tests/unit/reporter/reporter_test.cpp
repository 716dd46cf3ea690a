// The reporter as a service uses it.
#include "gmr/reporter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/program_options/parsers.hpp>
#include <chrono>
#include <csignal>
#include <future>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "gmr/trace/scheduler.hpp"
#include "support.hpp"

namespace gmr {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class Reporter : public testing::Test {
 protected:
  test::report_directory directory_;
};

std::set<pid_t> kernel_threads() {
  std::set<pid_t> out;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/task"})
    out.insert(std::stoi(entry.path().filename().string()));
  return out;
}

TEST_F(Reporter, ReturnsAReportWithEveryThread) {
  reporter reports{{.name = "orders", .version = "1.4.2"}, directory_.set()};
  const report made = reports.make("a test");
  EXPECT_EQ(made.cause, "a test");
  EXPECT_EQ(made.number, 1U);
  EXPECT_FALSE(made.host.empty());
  std::set<pid_t> shown;
  const thread_info* main = nullptr;
  for (const thread_info& each : made.threads) {
    shown.insert(each.id);
    if (each.id == ::getpid()) main = &each;
  }
  for (const pid_t each : kernel_threads())
    EXPECT_TRUE(shown.contains(each)) << each;
  ASSERT_NE(main, nullptr);
  EXPECT_EQ(main->capture, capture_outcome::ok) << main->note;
  EXPECT_FALSE(main->stack.frames.empty());
  EXPECT_GT(made.cost.total_seconds, 0);
  EXPECT_TRUE(made.notes.empty()) << testing::PrintToString(made.notes);
  EXPECT_TRUE(directory_.reports().empty()) << "nothing is written";
}

TEST_F(Reporter, AReportOutlivesItsReporter) {
  report made;
  {
    reporter reports{{.name = "orders"}, directory_.set()};
    made = reports.make();
  }
  EXPECT_TRUE(test::is_whole(to_text(made)));
  EXPECT_THAT(to_json(made), testing::EndsWith("}\n"));
}

TEST_F(Reporter, WritesRequestedReportsOneAfterTheOther) {
  reporter reports{{.name = "orders"}, directory_.set()};
  for (std::size_t count = 1; count <= 3; ++count) {
    reports.request();
    ASSERT_TRUE(directory_.wait_for(count));
  }
  for (const std::string& each : directory_.reports())
    EXPECT_TRUE(test::is_whole(each));
}

TEST_F(Reporter, AppearsAlthoughTheServiceIsBlocked) {
  std::mutex stuck;
  std::unique_lock held{stuck};
  reporter reports{{.name = "orders"}, directory_.set()};
  std::thread blocked{[&] { const std::lock_guard lock{stuck}; }};
  reports.request();
  EXPECT_TRUE(directory_.wait_for(1));
  held.unlock();
  blocked.join();
}

TEST_F(Reporter, RunsOnAnExecutorOfTheService) {
  boost::asio::io_context context;
  auto guard = boost::asio::make_work_guard(context);
  std::vector<std::thread> threads;
  for (int count = 0; count < 2; ++count)
    threads.emplace_back([&] { context.run(); });
  {
    reporter reports{{.name = "orders"}, directory_.set(), context.get_executor()};
    EXPECT_EQ(reports.make().number, 1U);
    reports.request();
    EXPECT_TRUE(directory_.wait_for(1));
  }
  guard.reset();
  for (std::thread& each : threads)
    each.join();
}

TEST_F(Reporter, IsDestroyedAlthoughItsExecutorDoesNotRun) {
  boost::asio::io_context context;
  {
    reporter reports{{.name = "orders"}, directory_.set(), context.get_executor()};
    reports.request();
  }
  reporter again{{.name = "orders"}, directory_.set()};
  EXPECT_EQ(again.make().number, 1U);
}

TEST_F(Reporter, IsTheOnlyOneInItsProcess) {
  {
    reporter first{{.name = "orders"}, directory_.set()};
    EXPECT_THROW((reporter{{.name = "orders"}, directory_.set()}), std::logic_error);
    EXPECT_EQ(first.make().number, 1U) << "the first is unharmed";
  }
  reporter next{{.name = "orders"}, directory_.set()};
  EXPECT_EQ(next.make().number, 1U);
}

TEST_F(Reporter, FinishesAReportWhenItIsDestroyed) {
  for (int round = 0; round < 5; ++round) {
    reporter reports{{.name = "orders"}, directory_.set()};
    reports.request();
  }
  EXPECT_EQ(directory_.reports().size(), 5U);
}

TEST_F(Reporter, OneFailingSectionLeavesAllElseWhole) {
  reporter reports{{.name = "orders"}, directory_.set()};
  reports.add_section("Good", [] { return value{42}; });
  reports.add_section("Bad", []() -> value { throw std::runtime_error{"no luck"}; });
  reports.add_section("Last", [] { return value{"x"}; });
  const report made = reports.make();
  ASSERT_EQ(made.sections.size(), 3U);
  EXPECT_EQ(made.sections[0].title, "Good");
  EXPECT_EQ(made.sections[0].error, "");
  EXPECT_THAT(made.sections[1].error, HasSubstr("no luck"));
  EXPECT_EQ(made.sections[2].error, "");
  EXPECT_FALSE(made.threads.empty());
}

// It would wait for itself.
TEST_F(Reporter, ASectionThatAsksForAReportIsRefusedAtOnce) {
  reporter reports{{.name = "orders"}, directory_.set()};
  reports.add_section("Inner", [&] { return value{reports.make().number}; });
  const report made = reports.make();
  ASSERT_EQ(made.sections.size(), 1U);
  EXPECT_EQ(made.sections[0].error, "a report can't be made while making one");
  EXPECT_EQ(reports.make().number, made.number + 1);
}

TEST_F(Reporter, ASectionThatHangsIsLeftOut) {
  settings set = directory_.set();
  set.section_deadline = 100ms;
  std::mutex stuck;
  {
    reporter reports{{.name = "orders"}, set};
    std::unique_lock held{stuck};
    const section_registration hanging = [&] {
      return reports.add_scoped_section("Hangs", [&] {
        const std::lock_guard lock{stuck};
        return value{1};
      });
    }();
    const report made = reports.make();
    ASSERT_EQ(made.sections.size(), 1U);
    EXPECT_FALSE(made.sections[0].error.empty());
    held.unlock();
  }
}

TEST_F(Reporter, SectionsComeAndGoWhileReportsAreMade) {
  reporter reports{{.name = "orders"}, directory_.set()};
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int number = 0; number < 2; ++number) {
    threads.emplace_back([&] {
      while (!stop) {
        const auto section = reports.add_scoped_section("Brief", [] { return value{"here"}; });
        std::this_thread::yield();
      }
    });
  }
  for (int round = 0; round < 10; ++round) {
    for (const custom_section& each : reports.make().sections)
      EXPECT_EQ(each.title, "Brief");
  }
  stop = true;
  for (std::thread& each : threads)
    each.join();
  EXPECT_TRUE(reports.make().sections.empty());
}

// A scheduler of ours shows one green thread that this thread runs.
class one_running final : public scheduler {
 public:
  std::string_view name() const noexcept override { return "test"; }
  void list(green_thread_visitor& visitor) override {
    green_thread_view view;
    view.id = id;
    view.state = green_thread_state::running;
    view.thread = ::getpid();
    visitor.visit(view);
  }
  const std::uint64_t id = next_green_thread_id();
};

TEST_F(Reporter, AThreadSaysWhichGreenThreadItRuns) {
  one_running source;
  const scheduler_registration registered = register_scheduler(source);
  reporter reports{{.name = "orders"}, directory_.set()};
  const report made = reports.make();
  for (const thread_info& each : made.threads)
    EXPECT_EQ(each.runs, each.id == ::getpid() ? std::optional{source.id} : std::nullopt);
}

class throwing final : public scheduler {
 public:
  std::string_view name() const noexcept override { return "broken"; }
  void list(green_thread_visitor&) override { throw std::runtime_error{"no luck"}; }
};

TEST_F(Reporter, ASchedulerThatThrowsIsNoted) {
  throwing source;
  const scheduler_registration registered = register_scheduler(source);
  reporter reports{{.name = "orders"}, directory_.set()};
  const report made = reports.make();
  EXPECT_THAT(made.notes, testing::Contains(HasSubstr("no luck")));
  EXPECT_FALSE(made.threads.empty());
}

TEST_F(Reporter, ShowsTheConfigurationWithoutSecrets) {
  namespace po = boost::program_options;
  po::options_description described;
  described.add_options()("db.password", secret<std::string>(), "")("http.port", po::value<int>(),
                                                                    "");
  po::variables_map values;
  const char* const arguments[] = {"x", "--db.password=hunter2", "--http.port=80"};
  po::store(po::parse_command_line(3, arguments, described), values);
  reporter reports{{.name = "orders"}, described, values};
  reports.add_configuration(described, values);  // what is there already is not shown twice
  const report made = reports.make();
  EXPECT_EQ(made.configuration.size(), 2U);
  EXPECT_THAT(to_text(made), testing::Not(HasSubstr("hunter2")));
  EXPECT_THAT(to_json(made), testing::Not(HasSubstr("hunter2")));
  EXPECT_EQ(reports.make("GET /orders?token=hunter2").cause, "GET /orders?token=***");
}

TEST_F(Reporter, ShowsAllOptionsThatWereLoaded) {
  namespace po = boost::program_options;
  po::options_description described;
  described.add_options()("config-file", po::value<std::string>(), "");
  described.add_options()("api.key", po::value<std::string>(), "")("http.port", po::value<int>(),
                                                                   "");
  described.add(options());
  const char* const arguments[] = {"x", "--api.key=hunter2", "--http.port=80"};
  const loaded_options loaded = load_options(3, arguments, described);
  reporter reports{{.name = "orders"}, loaded};
  const report made = reports.make();
  EXPECT_EQ(made.configuration.size(), described.options().size());
  EXPECT_THAT(to_text(made), HasSubstr("port = 80  (command line)"));
  EXPECT_THAT(to_text(made), testing::Not(HasSubstr("hunter2")));
}

TEST_F(Reporter, AForkedChildMayDestroyItAndIsLeftAlone) {
  auto reports = std::make_unique<reporter>(package{.name = "orders"}, directory_.set());
  const pid_t child = ::fork();
  if (child == 0) {
    ::raise(SIGUSR2);  // neither ends it nor makes its parent report
    reports->request();
    bool refused = false;
    try {
      static_cast<void>(reports->make());
    } catch (const std::logic_error&) {
      refused = true;
    }
    reports.reset();
    ::_exit(refused ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(reports->make().number, 1U) << "the parent's still works";
  reports->request();
  EXPECT_TRUE(directory_.wait_for(1));
  EXPECT_THAT(directory_.reports(), testing::Not(testing::Contains(HasSubstr("SIGUSR2"))));
}

class blocked_trigger final {
 public:
  blocked_trigger() {
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    ::pthread_sigmask(SIG_BLOCK, &blocked, &before_);
  }
  ~blocked_trigger() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  blocked_trigger(const blocked_trigger&) = delete;
  blocked_trigger& operator=(const blocked_trigger&) = delete;

 private:
  sigset_t before_{};
};

// The signal arrives although no thread of the service takes it.
TEST_F(Reporter, TakesTheSignalWhereTheServiceBlocksIt) {
  const blocked_trigger blocked;
  reporter reports{{.name = "orders"}, directory_.set()};
  ASSERT_EQ(::kill(::getpid(), SIGUSR2), 0);
  EXPECT_TRUE(directory_.wait_for(1));
}

TEST_F(Reporter, ASignalThatWasPendingBeforeMakesAReport) {
  const blocked_trigger blocked;
  ASSERT_EQ(::kill(::getpid(), SIGUSR2), 0);
  reporter reports{{.name = "orders"}, directory_.set()};
  EXPECT_TRUE(directory_.wait_for(1));
}

// How many descriptors others can still have. The reporter's own thread looks at its event loop
// after a report: others may get one that it has just closed, or has just given up for that.
std::size_t take_what_is_left(std::vector<int>& taken) {
  const std::size_t before = taken.size();
  for (int copy = ::dup(STDIN_FILENO); copy >= 0; copy = ::dup(STDIN_FILENO))
    taken.push_back(copy);
  return taken.size() - before;
}

// Such a service is likely to be asked for a report.
TEST_F(Reporter, ReportsWhereNoDescriptorIsLeft) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the undefined behaviour sanitizer opens a pipe to look at a vptr";
#endif
  reporter reports{{.name = "orders"}, directory_.set()};
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{std::min<rlim_t>(before.rlim_cur, 256), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  std::vector<int> taken;
  take_what_is_left(taken);
  const report first = reports.make();
  std::future<report> other = std::async(std::launch::async, [&reports] { return reports.make(); });
  while (other.wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
  }
  const report second = other.get();  // of this thread as it ran
  const std::size_t left = take_what_is_left(taken);
  for (const int each : taken)
    ::close(each);
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_LE(left, 2U) << "the eight spare ones are not for others";
  for (const report* each : {&first, &second}) {
    EXPECT_THAT(each->threads, testing::SizeIs(testing::Ge(2U)));
    const auto own =
        std::ranges::find(each->threads, static_cast<pid_t>(::getpid()), &thread_info::id);
    ASSERT_NE(own, each->threads.end());
    EXPECT_GT(own->stack.frames.size(), 3U) << to_string(own->capture) << ": " << own->note;
  }
}

}  // namespace
}  // namespace gmr
