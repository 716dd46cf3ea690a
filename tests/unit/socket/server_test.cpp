// What clients get, and that none does harm: many of them, slow ones, those that say half of it.
#include "socket/server.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <stdexcept>

#include "support.hpp"
#include "support/in_child.hpp"
#include "support/refused_call.hpp"
#include "support/scratch_directory.hpp"

namespace gmr::sockets {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::StartsWith;
using made_report = std::shared_ptr<const report>;

// Makes reports when it is told to.
class test_source final : public report_source {
 public:
  std::future<made_report> ask(std::string cause, std::optional<report_shape> shape) override {
    const std::lock_guard lock{mutex_};
    if (stopped_) throw std::logic_error{"no more"};
    causes_.push_back(std::move(cause));
    shapes_.push_back(shape);
    std::promise<made_report> answer;
    std::future<made_report> coming = answer.get_future();
    if (holds_)
      held_.push_back(std::move(answer));
    else
      answer.set_value(made_);
    return coming;
  }
  report_counters counters() const noexcept override { return {}; }

  void hold() { holds_ = true; }
  void stop() { stopped_ = true; }
  void release() {
    const std::lock_guard lock{mutex_};
    for (auto& each : held_)
      each.set_value(made_);
    held_.clear();
  }
  void fail() {
    const std::lock_guard lock{mutex_};
    held_.clear();
  }
  void wait_for_requests(std::size_t count) {
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (requests() < count && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(1ms);
    ASSERT_GE(requests(), count);
  }
  std::size_t requests() {
    const std::lock_guard lock{mutex_};
    return causes_.size();
  }
  void make_large() {
    report large = *made_;
    large.cause = std::string(std::size_t{20} << 20U, 'x');
    made_ = std::make_shared<const report>(std::move(large));
  }

  std::vector<std::string> causes_;
  std::vector<std::optional<report_shape>> shapes_;

 private:
  static made_report small() {
    report made;
    made.cause = "a test";
    return std::make_shared<const report>(std::move(made));
  }

  std::mutex mutex_;
  std::atomic<bool> holds_{false};
  std::atomic<bool> stopped_{false};
  std::deque<std::promise<made_report>> held_;
  made_report made_ = small();
};

class Server : public testing::Test {
 protected:
  Server() { start(); }
  void start(std::chrono::seconds longest = 60s) {
    served_.reset();
    served_.emplace(server::settings{.address = address_,
                                     .software = {.name = "orders", .version = "1"},
                                     .usual = {},
                                     .longest = longest},
                    source_);
    served_->start(-1);
    test::wait_for_socket(address_);
  }
  std::string ask(const std::string& target) { return test::ask(address_, target); }
  // Once there is room for one more client.
  std::string ask_until_answered(const std::string& target) {
    const auto until = std::chrono::steady_clock::now() + 60s;
    for (;;) {
      std::string answer = ask(target);
      if (!answer.starts_with("HTTP/1.1 503") || std::chrono::steady_clock::now() > until)
        return answer;
      std::this_thread::sleep_for(10ms);
    }
  }
  std::string say(std::string_view request) {
    const test::socket_client client{address_};
    client.send(request);
    return client.receive();
  }

  test::scratch_directory scratch_;
  std::string address_ = (scratch_.path() / "report.sock").string();
  test_source source_;
  std::optional<server> served_;
};

TEST_F(Server, GivesAReport) {
  EXPECT_THAT(ask("/report"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("Content-Type: text/plain"),
                    HasSubstr("Guru Meditation"), HasSubstr("Cause:   a test")));
  EXPECT_THAT(source_.causes_.front(),
              StartsWith("socket, pid " + std::to_string(::getpid()) + ", "));
  EXPECT_FALSE(source_.shapes_.front()) << "as the options say";
}

TEST_F(Server, GivesItAsItIsAskedFor) {
  const std::string answer = ask("/report?format=json&list=each&sections=threads");
  EXPECT_THAT(answer, AllOf(HasSubstr("Content-Type: application/json"), HasSubstr("\"threads\":["),
                            testing::Not(HasSubstr("\"configuration\""))));
  ASSERT_TRUE(source_.shapes_.front());
  EXPECT_EQ(source_.shapes_.front()->list, report_list::each);
}

TEST_F(Server, SaysWhatIsWrong) {
  EXPECT_THAT(ask("/report?list=all"), AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("list: 'all'")));
  EXPECT_THAT(ask("/"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(say("POST /report HTTP/1.1\r\nHost: h\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 405"), HasSubstr("Allow: GET")));
  EXPECT_THAT(say("GET /report HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(say("GET /report HTTP/1.1\r\nX: " + std::string(20000, 'x')),
              StartsWith("HTTP/1.1 431"));
  for (const std::string_view garbage : {"\r\n\r\n\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01",
                                         "GET /report HTTP/9.9\r\n\r\n", "EHLO there\r\n\r\n"})
    EXPECT_THAT(say(garbage), StartsWith("HTTP/1.1 400")) << garbage;
  EXPECT_EQ(source_.requests(), 0U);
}

TEST_F(Server, AnswersOthersWhileAReportIsMade) {
  source_.hold();
  const test::socket_client waits{address_};
  waits.send("GET /report HTTP/1.1\r\n\r\n");
  source_.wait_for_requests(1);
  EXPECT_THAT(ask("/metrics"), AllOf(StartsWith("HTTP/1.1 200 OK"), HasSubstr("gmr_threads{")));
  source_.release();
  EXPECT_THAT(waits.receive(), HasSubstr("Cause:   a test"));
}

TEST_F(Server, AClientThatHasEndedItsSendingGetsItsReport) {
  const test::socket_client client{address_};
  client.send("GET /report HTTP/1.1\r\n\r\n");
  ASSERT_EQ(::shutdown(client.number(), SHUT_WR), 0);
  EXPECT_THAT(client.receive(), HasSubstr("End of Guru Meditation"));
}

TEST_F(Server, SaysThatNoReportCouldBeMade) {
  source_.hold();
  const test::socket_client client{address_};
  client.send("GET /report HTTP/1.1\r\n\r\n");
  source_.wait_for_requests(1);
  source_.fail();
  EXPECT_THAT(client.receive(), AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("Retry-After: 1")));
  source_.stop();
  EXPECT_THAT(ask("/report"), AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("no more")));
}

TEST_F(Server, DoesNotWaitForeverForAReport) {
  start(1s);
  source_.hold();
  EXPECT_THAT(ask("/report"), StartsWith("HTTP/1.1 503"));
}

TEST_F(Server, ALimitedNumberWaitsForReports) {
  source_.hold();
  std::vector<test::socket_client> waiting;
  for (std::size_t i = 0; i < server::most_waiting; ++i) {
    waiting.emplace_back(address_);
    waiting.back().send("GET /report HTTP/1.1\r\n\r\n");
  }
  source_.wait_for_requests(server::most_waiting);
  EXPECT_THAT(ask("/report"), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(ask("/metrics"), StartsWith("HTTP/1.1 200"));
  source_.release();
  for (const test::socket_client& each : waiting)
    EXPECT_THAT(each.receive(), HasSubstr("Cause:   a test"));
}

TEST_F(Server, AThousandSilentClientsAreSentAwayOrCutOff) {
  std::vector<test::socket_client> silent;
  for (int i = 0; i < 1000; ++i)
    silent.emplace_back(address_);
  EXPECT_THAT(ask_until_answered("/metrics"), StartsWith("HTTP/1.1 200"));
  for (const test::socket_client& each : silent)
    EXPECT_THAT(each.receive(), ContainsRegex("^HTTP/1\\.1 (503|408) "));
}

TEST_F(Server, WhoSaysHalfOfItIsCutOff) {
  const test::socket_client half{address_};
  half.send("GET /rep");
  EXPECT_THAT(half.receive(), StartsWith("HTTP/1.1 408"));
}

TEST_F(Server, AReaderThatDoesNotReadIsCutOffAndHoldsNobodyUp) {
  source_.make_large();
  const test::socket_client lazy{address_};
  lazy.send("GET /report HTTP/1.1\r\n\r\n");
  source_.wait_for_requests(1);
  EXPECT_THAT(ask("/metrics"), StartsWith("HTTP/1.1 200"));
  pollfd cut{.fd = lazy.number(), .events = 0, .revents = 0};
  ASSERT_EQ(::poll(&cut, 1, 60'000), 1) << "it is not cut off";
  EXPECT_NE(cut.revents & POLLHUP, 0);
  const std::string got = lazy.receive();
  EXPECT_LT(got.size(), std::size_t{20} << 20U);
  EXPECT_THAT(ask("/report").size(), testing::Gt(std::size_t{20} << 20U))
      << "another one reads it all";
}

TEST_F(Server, DoesNotSpinWhereClientsMayNotBeTaken) {
  served_.reset();
  test::in_child([this] {
    test::refuse_call(SYS_accept4, EPERM);
    int said[2];
    ASSERT_EQ(::pipe2(said, O_NONBLOCK | O_CLOEXEC), 0);
    ASSERT_EQ(::dup2(said[1], STDERR_FILENO), STDERR_FILENO);
    start();
    const test::socket_client client{address_};
    pollfd anything{.fd = said[0], .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&anything, 1, 60'000), 1);
    rusage before{};
    rusage after{};
    ::getrusage(RUSAGE_SELF, &before);
    std::this_thread::sleep_for(1s);
    ::getrusage(RUSAGE_SELF, &after);
    const auto used = [](const rusage& of) {
      return std::chrono::seconds{of.ru_utime.tv_sec + of.ru_stime.tv_sec} +
             std::chrono::microseconds{of.ru_utime.tv_usec + of.ru_stime.tv_usec};
    };
    EXPECT_LT(used(after) - used(before), 500ms);
    served_.reset();
    std::string lines(4096, '\0');
    lines.resize(static_cast<std::size_t>(
        std::max<ssize_t>(::read(said[0], lines.data(), lines.size()), 0)));
    EXPECT_THAT(lines, HasSubstr("no client can be taken on the socket " + address_));
    EXPECT_EQ(lines.find("no client can"), lines.rfind("no client can")) << "once: " << lines;
  });
}

TEST_F(Server, EndsWhileClientsWait) {
  source_.hold();
  const test::socket_client waits{address_};
  waits.send("GET /report HTTP/1.1\r\n\r\n");
  source_.wait_for_requests(1);
  served_.reset();
  EXPECT_EQ(waits.receive(), "");
  EXPECT_EQ(test::socket_client{address_}.error(), ENOENT);
}

TEST_F(Server, ListensAgainWhenTheProgramHasClosedItsDescriptors) {
  ::close_range(3, ~0U, 0);
  // It looks every few seconds, and tries again some seconds later at the latest.
  const auto until = std::chrono::steady_clock::now() + 60s;
  std::string answer;
  while (answer.empty() && std::chrono::steady_clock::now() < until) {
    answer = ask("/metrics");
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
}

}  // namespace
}  // namespace gmr::sockets
