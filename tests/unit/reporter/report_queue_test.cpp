// When reports are made, and how many requests each answers; a maker of ours stands for the stages.
#include "reporter/report_queue.hpp"
#include "reporter/own_thread.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "reporter/stage.hpp"

namespace gmr {
namespace {

using namespace std::chrono_literals;

// A gate that holds whoever makes a report.
class gate {
 public:
  void close() { set(false); }
  void open() { set(true); }
  void pass() {
    std::unique_lock lock{mutex_};
    ++arrived_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
  }
  void rest() noexcept {
    const std::lock_guard lock{mutex_};
    ++rests_;
    changed_.notify_all();
  }
  void wait_for_rests(int count) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return rests_ >= count; });
  }
  void wait_for_arrivals(int count) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return arrived_ >= count; });
  }

 private:
  void set(bool open) {
    const std::lock_guard lock{mutex_};
    open_ = open;
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  int arrived_ = 0;
  int rests_ = 0;
};

class test_maker final : public report_maker {
 public:
  test_maker(gate& holds, std::atomic<bool>& fails, std::atomic<int>& alive)
      : gate_(holds), fails_(fails), alive_(alive) {
    ++alive_;
  }
  ~test_maker() override { --alive_; }
  void rest() noexcept override { gate_.rest(); }
  report make(const report_request& request) override {
    gate_.pass();
    if (fails_) throw std::runtime_error{"no luck"};
    report out;
    out.cause = request.cause;
    out.number = request.number;
    out.coalesced = request.coalesced;
    if (request.shape) out.list = request.shape->list;
    if (request.fatal_deadline) out.notes.push_back("fatal");
    return out;
  }

 private:
  gate& gate_;
  std::atomic<bool>& fails_;
  std::atomic<int>& alive_;
};

class ReportQueue : public testing::Test {
 protected:
  ReportQueue() : queue_(make_queue()) { thread_.start({}); }
  ~ReportQueue() override {
    gate_.open();
    queue_->stop(true);
  }
  std::shared_ptr<report_queue> make_queue(const report_queue::settings& set = {}) {
    auto made = std::make_shared<report_queue>(
        thread_, std::make_unique<test_maker>(gate_, fails_, alive_),
        [this](const report& each) { deliver(each); }, set);
    thread_.add(made);
    return made;
  }
  void deliver(const report& made) {
    const std::lock_guard lock{mutex_};
    delivered_.push_back(made);
    changed_.notify_all();
  }
  std::vector<report> wait_for_requests(std::uint64_t count) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] {
      return std::accumulate(delivered_.begin(), delivered_.end(), std::uint64_t{0},
                             [](auto sum, const report& each) { return sum + each.coalesced; }) >=
             count;
    });
    return delivered_;
  }

  gate gate_;
  std::atomic<bool> fails_{false};
  std::atomic<int> alive_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<report> delivered_;
  own_thread thread_;
  std::shared_ptr<report_queue> queue_;
};

TEST_F(ReportQueue, MakesAReportForARequest) {
  queue_->request("signal SIGUSR2");
  const std::vector<report> made = wait_for_requests(1);
  ASSERT_EQ(made.size(), 1U);
  EXPECT_EQ(made[0].cause, "signal SIGUSR2");
  EXPECT_EQ(made[0].number, 1U);
}

TEST_F(ReportQueue, OnTheSocketEachShapeIsAReportAndThoseOfOneShapeShareIt) {
  gate_.close();
  queue_->request("first");
  gate_.wait_for_arrivals(1);
  const report_shape each{.list = report_list::each};
  const report_shape tree{.list = report_list::tree};
  auto usual = queue_->make_for_socket("usual", std::nullopt);
  auto one = queue_->make_for_socket("one", each);
  auto other = queue_->make_for_socket("other", each);
  auto third = queue_->make_for_socket("third", tree);
  gate_.open();
  EXPECT_EQ(usual.get()->cause, "usual");
  const std::shared_ptr<const report> both = one.get();
  EXPECT_EQ(both->cause, "one, other");
  EXPECT_EQ(both->list, report_list::each);
  EXPECT_EQ(other.get(), both);
  EXPECT_EQ(third.get()->list, report_list::tree);
  const auto counted = queue_->statistics().read().of(report_cause::socket);
  EXPECT_EQ(counted.asked, 4U);
  EXPECT_EQ(counted.made, 3U);
  EXPECT_EQ(wait_for_requests(1).size(), 1U) << "they go to who asks, and not to the sink";
}

TEST_F(ReportQueue, WhoAsksOnTheSocketInALoopDoesNotHoldOthersUp) {
  gate_.close();
  queue_->request("first");
  gate_.wait_for_arrivals(1);
  std::vector<std::future<std::shared_ptr<const report>>> asked;
  for (std::size_t parts = 1; parts <= report_queue::most_shapes; ++parts)
    asked.push_back(queue_->make_for_socket("loop", report_shape{.parts = parts}));
  EXPECT_THROW(asked.push_back(queue_->make_for_socket("more", report_shape{})), std::logic_error);
  queue_->request("operator");
  gate_.open();
  EXPECT_EQ(wait_for_requests(2).back().number, 3U) << "after one of the others at most";
  for (auto& each : asked)
    EXPECT_EQ(each.get()->cause, "loop");
}

TEST_F(ReportQueue, WhoAsksOnTheSocketIsToldThatNoneCouldBeMade) {
  fails_ = true;
  EXPECT_THROW(queue_->make_for_socket("socket", report_shape{}).get(), std::future_error);
  fails_ = false;
  queue_->stop(true);
  EXPECT_THROW(queue_->make_for_socket("socket", std::nullopt), std::logic_error);
}

TEST_F(ReportQueue, ItsMakerRestsOnceNothingIsAskedForAndGoesOnAfterwards) {
  queue_->stop(true);
  queue_ = make_queue({.rest_after = 1ms});
  for (int round = 1; round <= 3; ++round) {
    EXPECT_EQ(queue_->make("again").get().number, static_cast<std::uint64_t>(round));
    gate_.wait_for_rests(round);
  }
}

TEST_F(ReportQueue, RequestsWhileOneIsMadeAreAnsweredByOneFurtherReport) {
  gate_.close();
  queue_->request("first");
  gate_.wait_for_arrivals(1);
  for (int count = 0; count < 999; ++count)
    queue_->request(count % 2 == 0 ? "signal" : "file");
  gate_.open();
  const std::vector<report> made = wait_for_requests(1000);
  ASSERT_EQ(made.size(), 2U);
  EXPECT_EQ(made[0].coalesced, 1U);
  EXPECT_EQ(made[1].coalesced, 999U);
  EXPECT_EQ(made[1].cause, "signal, file");
  EXPECT_EQ(made[1].number, 2U);
}

TEST_F(ReportQueue, SaysThatThereWereMoreCausesThanItNames) {
  gate_.close();
  queue_->request("first");
  gate_.wait_for_arrivals(1);
  for (const char* cause : {"a", "b", "c", "d", "a", "e", "f"})
    queue_->request(cause);
  gate_.open();
  EXPECT_EQ(wait_for_requests(8).back().cause, "a, b, c, d and others");
}

TEST_F(ReportQueue, AReportIsReturnedToEachCallerAndNotWritten) {
  gate_.close();
  std::future<report> first = queue_->make("a");
  gate_.wait_for_arrivals(1);
  std::future<report> second = queue_->make("b");
  std::future<report> third = queue_->make("c");
  gate_.open();
  EXPECT_EQ(first.get().coalesced, 1U);
  EXPECT_EQ(second.get().coalesced, 2U);
  EXPECT_EQ(third.get().cause, "b, c");
  const std::lock_guard lock{mutex_};
  EXPECT_TRUE(delivered_.empty());
}

TEST_F(ReportQueue, AFailureReachesTheCallerAndTheNextReportIsMade) {
  fails_ = true;
  EXPECT_ANY_THROW(queue_->make("a").get());
  fails_ = false;
  EXPECT_EQ(queue_->make("b").get().cause, "b");
}

TEST_F(ReportQueue, StopFinishesWhatIsMadeAndWhatWaits) {
  gate_.close();
  queue_->request("first");
  gate_.wait_for_arrivals(1);
  queue_->request("second");
  std::thread stopper{[&] { queue_->stop(true); }};
  gate_.open();
  stopper.join();
  EXPECT_EQ(wait_for_requests(2).size(), 2U);
  queue_->release_maker();
  EXPECT_EQ(alive_, 0) << "the maker must be gone, it holds the capture signal";
  queue_->request("late");
  EXPECT_THROW(static_cast<void>(queue_->make("late")), std::logic_error);
}

TEST_F(ReportQueue, OfAFatalErrorHasADeadlineOfItsOwnAndIsCounted) {
  queue_->request("signal", report_cause::signal);
  EXPECT_TRUE(wait_for_requests(1).back().notes.empty());
  queue_->request("fatal error", report_cause::fatal_error);
  EXPECT_THAT(wait_for_requests(2).back().notes, testing::ElementsAre("fatal"));
  while (queue_->statistics().read().of(report_cause::fatal_error).made == 0)
    std::this_thread::sleep_for(1ms);
}

TEST_F(ReportQueue, StopDoesNotWaitForAnExecutorThatNobodyRuns) {
  boost::asio::io_context context;
  const auto queue = make_queue({.executor = context.get_executor()});
  queue->request("never");
  std::future<report> answer = queue->make("never");
  queue->stop(false);
  EXPECT_ANY_THROW(answer.get());
  context.run();  // what was posted finds nothing to do
  const std::lock_guard lock{mutex_};
  EXPECT_TRUE(delivered_.empty());
}

TEST_F(ReportQueue, NoRequestIsLostWhenManyThreadsAsk) {
  constexpr std::uint64_t each = 200;
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; ++number) {
    threads.emplace_back([&] {
      for (std::uint64_t count = 0; count < each; ++count)
        queue_->request("request");
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  const std::vector<report> made = wait_for_requests(4 * each);
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at < made.size(); ++at) {
    EXPECT_EQ(made[at].number, at + 1);
    sum += made[at].coalesced;
  }
  EXPECT_EQ(sum, 4 * each);
}

TEST_F(ReportQueue, MakesReportsOnAnExecutorOfTheService) {
  boost::asio::io_context context;
  auto guard = boost::asio::make_work_guard(context);
  std::thread runs{[&] { context.run(); }};
  const auto queue = make_queue({.executor = context.get_executor(), .rest_after = 1ms});
  for (int round = 1; round <= 2; ++round) {
    EXPECT_EQ(queue->make("again").get().number, static_cast<std::uint64_t>(round));
    gate_.wait_for_rests(round);
  }
  queue->stop(false);
  guard.reset();
  runs.join();
}

// Does once what it is told.
class errand final : public duty {
 public:
  explicit errand(std::function<void()> does) : does_(std::move(does)) {}
  std::optional<clock::time_point> attend(clock::time_point) override {
    if (does_) does_();
    does_ = nullptr;
    return std::nullopt;
  }

 private:
  std::function<void()> does_;
};

TEST(OwnThread, HasItsNameAndBlocksTheSignalsOfTheService) {
  const int open = SIGRTMIN + 5;
  own_thread thread;
  thread.start({open, -1});
  std::promise<sigset_t> mask;
  std::promise<std::string> name;
  const auto asks = std::make_shared<errand>([&] {
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    char buffer[32] = {};
    pthread_getname_np(pthread_self(), buffer, sizeof buffer);
    EXPECT_TRUE(thread.is_here());
    name.set_value(buffer);
    mask.set_value(blocked);
  });
  thread.add(asks);
  EXPECT_EQ(name.get_future().get(), "gmr-reporter");
  const sigset_t blocked = mask.get_future().get();
  for (const int signal : {SIGTERM, SIGUSR1, SIGUSR2, SIGHUP, SIGPIPE, SIGCHLD})
    EXPECT_EQ(sigismember(&blocked, signal), 1) << signal;
  EXPECT_EQ(sigismember(&blocked, open), 0);
  EXPECT_EQ(sigismember(&blocked, SIGSEGV), 0);
  EXPECT_FALSE(thread.is_here());
  sigset_t here;
  pthread_sigmask(SIG_SETMASK, nullptr, &here);
  EXPECT_EQ(sigismember(&here, SIGTERM), 0) << "the caller's own mask is as before";
}

TEST(OwnThread, SurvivesAnExceptionAndTriesAgain) {
  own_thread thread;
  thread.start({});
  int tries = 0;
  std::promise<void> after;
  testing::internal::CaptureStderr();
  const auto fails = std::make_shared<errand>([&] {
    if (++tries == 1) throw std::runtime_error{"oops"};
    after.set_value();
  });
  thread.add(fails);
  EXPECT_EQ(after.get_future().wait_for(30s), std::future_status::ready);
  thread.join();
  EXPECT_EQ(tries, 2);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "gmr: oops\n");
}

TEST(OwnThread, IsNotBusyWhileThereIsNothingToDo) {
  own_thread thread;
  int times = 0;
  std::promise<void> begun;
  struct counted final : duty {
    counted(int& count, std::promise<void>& first) : count_(count), first_(first) {}
    std::optional<clock::time_point> attend(clock::time_point now) override {
      if (count_++ == 0) first_.set_value();
      return now + 50ms;
    }
    int& count_;
    std::promise<void>& first_;
  };
  thread.start({});
  const auto kept = std::make_shared<counted>(times, begun);  // the thread does not
  thread.add(kept);
  begun.get_future().wait();
  const auto start = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(200ms);
  thread.join();
  EXPECT_LE(times, 4 + (std::chrono::steady_clock::now() - start) / 50ms);
}

TEST(Stage, AFailureBecomesANote) {
  report out;
  double seconds = 0;
  run_stage(out, "naming", seconds, [] { throw std::runtime_error{"no symbols"}; });
  run_stage(out, "luck", seconds, [] { throw 7; });
  EXPECT_THAT(out.notes, testing::ElementsAre("naming failed: no symbols",
                                              testing::StartsWith("luck failed: ")));
  EXPECT_GT(seconds, 0);
}

}  // namespace
}  // namespace gmr
