#include "section/sections.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <csignal>
#include <future>
#include <stdexcept>
#include <thread>

#include "gmr/reporter.hpp"
#include "support/in_child.hpp"

namespace {

using namespace std::chrono_literals;
using gmr::custom_section;
using gmr::sections::section_registry;
using testing::HasSubstr;

std::vector<custom_section> generate(section_registry& registry,
                                     std::chrono::milliseconds each = 10s,
                                     std::chrono::milliseconds all = 30s) {
  return registry.generate(each, std::chrono::steady_clock::now() + all);
}

std::string text_of(const custom_section& section) {
  const auto* text = std::get_if<std::string>(&section.content.get());
  return text == nullptr ? "no text" : *text;
}

// A generator that hangs until it is let go.
class gate final {
 public:
  ~gate() { open(); }
  void open() { opened_.store(true), opened_.notify_all(); }
  void pass() {
    entered_.store(true), entered_.notify_all();
    opened_.wait(false);
  }
  void wait_until_entered() { entered_.wait(false); }

 private:
  std::atomic<bool> opened_{false};
  std::atomic<bool> entered_{false};
};

std::vector<std::string> titles(section_registry& registry) {
  std::vector<std::string> found;
  for (const custom_section& section : generate(registry))
    found.push_back(section.title);
  return found;
}

TEST(SectionRegistry, SectionsStandWhereTheyAreToldTo) {
  section_registry registry;
  const auto content = [] { return gmr::value("x"); };
  registry.keep("Owners", content, {.before = "Locks"});
  registry.keep("Locks", content, {.before = "Queues"});
  registry.keep("Orders", content);
  registry.keep("Queues", content);
  registry.keep("Summary", content, {.first = true});
  registry.keep("Customers", content, {.before = "what is not there"});
  registry.keep("Totals", content, {.first = true});
  EXPECT_THAT(titles(registry), testing::ElementsAre("Summary", "Totals", "Orders", "Owners",
                                                     "Locks", "Queues", "Customers"));
}

TEST(RegisterSection, MayComeBeforeAnyReporterAndStaysForTheNext) {
  const auto content = [] { return gmr::value("x"); };
  {
    const gmr::section_registration early = gmr::register_section("Early", content);
    for (int round = 0; round < 2; ++round) {
      section_registry registry;
      registry.keep("Orders", content);
      EXPECT_THAT(titles(registry), testing::ElementsAre("Early", "Orders"));
    }
  }
  section_registry registry;
  EXPECT_THAT(titles(registry), testing::IsEmpty());
}

TEST(RegisterSection, AReleasedSectionStaysAsLongAsItsReporter) {
  const auto content = [] { return gmr::value("x"); };
  gmr::reporter first{{.name = "orders"}, gmr::settings{.signal = gmr::no_signal}};
  first.add_scoped_section("Orders", content).release();
  ASSERT_EQ(first.make().sections.size(), 1U);
  EXPECT_EQ(first.make().sections[0].title, "Orders");
}

TEST(RegisterSection, IsThereForAChildThatMakesAReporterOfItsOwn) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer starts no threads in a forked child";
#endif
  gate hanging;
  const gmr::section_registration early = gmr::register_section("Early", [&] {
    hanging.pass();
    return gmr::value("x");
  });
  section_registry registry;
  std::thread report{[&] { static_cast<void>(generate(registry)); }};
  hanging.wait_until_entered();
  gmr::test::in_child([&] {
    hanging.open();
    section_registry own;
    const auto made = generate(own);
    ASSERT_EQ(made.size(), 1U);
    EXPECT_EQ(made[0].error, "");
  });
  hanging.open();
  report.join();
}

TEST(SectionRegistry, MasksSecretsInUrlsWhereverTheyStand) {
  section_registry registry;
  const std::string url = "GET /orders?token=hunter2";
  registry.keep("Connections", [&] {
    return gmr::value(gmr::key_values{}
                          .add("text", gmr::text{url})
                          .add("list", gmr::list{{url}})
                          .add("table", gmr::table{{url}, {{url}}})
                          .add(url, url));
  });
  registry.keep("Failed", [&]() -> gmr::value { throw std::runtime_error(url); });
  gmr::report shown;
  shown.sections = generate(registry);
  const std::string json = gmr::to_json(shown);
  EXPECT_THAT(json, testing::Not(HasSubstr("hunter2")));
  EXPECT_THAT(json, HasSubstr(R"("GET /orders?token=***":"GET /orders?token=***")"));
  EXPECT_THAT(json, HasSubstr(R"([{"GET /orders?token=***":"GET /orders?token=***"}])"));
  EXPECT_THAT(json, HasSubstr(R"("Failed":{"error":"GET /orders?token=***"})"));
}

TEST(SectionRegistry, RunsGeneratorsInOrderOfRegistration) {
  section_registry registry;
  const auto first = registry.add("First", [] { return gmr::value("1"); });
  registry.keep("Second", [] { return gmr::value("2"); });
  const auto third = registry.add("Third", [] { return gmr::value("3"); });
  const auto sections = generate(registry);
  ASSERT_EQ(sections.size(), 3U);
  EXPECT_EQ(sections[0].title, "First");
  EXPECT_EQ(text_of(sections[1]), "2");
  EXPECT_EQ(text_of(sections[2]), "3");
  for (const custom_section& section : sections)
    EXPECT_EQ(section.error, "");
}

TEST(SectionRegistry, WithoutSectionsThereAreNone) {
  section_registry registry;
  EXPECT_TRUE(generate(registry).empty());
}

TEST(SectionRegistry, AGeneratorThatThrowsHasItsErrorInItsPlace) {
  struct strange {};
  section_registry registry;
  registry.keep("Standard", []() -> gmr::value { throw std::runtime_error("no database"); });
  registry.keep("Strange", []() -> gmr::value { throw strange{}; });
  registry.keep("Empty", nullptr);
  registry.keep("Whole", [] { return gmr::value("fine"); });
  const auto sections = generate(registry);
  ASSERT_EQ(sections.size(), 4U);
  EXPECT_EQ(sections[0].error, "no database");
  EXPECT_TRUE(sections[0].content.is_null());
  EXPECT_THAT(sections[1].error, HasSubstr("strange"));
  EXPECT_FALSE(sections[2].error.empty());
  EXPECT_EQ(text_of(sections[3]), "fine");
}

TEST(SectionRegistry, RunsOnAThreadOfItsOwn) {
  section_registry registry;
  std::string name;
  sigset_t blocked;
  std::thread::id runner;
  registry.keep("Thread", [&] {
    std::array<char, 32> buffer{};
    ::pthread_getname_np(::pthread_self(), buffer.data(), buffer.size());
    name = buffer.data();
    ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    runner = std::this_thread::get_id();
    return gmr::value();
  });
  const int capture_signal = SIGRTMIN + 5;
  registry.prepare(capture_signal);
  ASSERT_EQ(generate(registry).size(), 1U);
  EXPECT_EQ(name, "gmr-sections");
  EXPECT_NE(runner, std::this_thread::get_id());
  for (const int asynchronous :
       {SIGTERM, SIGINT, SIGUSR2, SIGHUP, SIGCHLD, SIGRTMIN, SIGRTMIN + 6, SIGRTMAX})
    EXPECT_EQ(::sigismember(&blocked, asynchronous), 1) << asynchronous;
  for (const int needed : {SIGSEGV, SIGBUS, SIGFPE, capture_signal})
    EXPECT_EQ(::sigismember(&blocked, needed), 0) << needed;
  sigset_t own;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &own);
  EXPECT_EQ(::sigismember(&own, SIGTERM), 0);
}

TEST(SectionRegistry, AGeneratorThatHangsIsLeftBehindAndNotStartedAgain) {
  gate held;
  std::atomic<int> calls{0};
  {
    section_registry registry;
    registry.keep("Hangs", [&] {
      ++calls;
      held.pass();
      return gmr::value("late");
    });
    registry.keep("Works", [] { return gmr::value("fine"); });
    auto sections = generate(registry, 50ms);
    ASSERT_EQ(sections.size(), 2U);
    EXPECT_EQ(sections[0].error, "no answer within 0.05 s");
    EXPECT_EQ(text_of(sections[1]), "fine");
    sections = generate(registry, 10s);
    EXPECT_THAT(sections[0].error, HasSubstr("still running since the report of 20"));
    EXPECT_EQ(text_of(sections[1]), "fine");
    EXPECT_EQ(calls, 1);
    held.open();
    do {
      sections = generate(registry, 10s);
    } while (!sections[0].error.empty());
    EXPECT_EQ(text_of(sections[0]), "late");
    EXPECT_EQ(calls, 2);
  }
}

TEST(SectionRegistry, IsDestroyedWhileAGeneratorHangs) {
  const auto held = std::make_shared<gate>();
  const auto begin = std::chrono::steady_clock::now();
  {
    section_registry registry;
    registry.keep("Hangs", [held] {
      held->pass();
      return gmr::value();
    });
    EXPECT_FALSE(generate(registry, 20ms).at(0).error.empty());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
  held->open();
  // The thread left behind ends and lets go of the generator.
  while (held.use_count() > 1)
    std::this_thread::yield();
}

TEST(SectionRegistry, TheNumberOfHangingGeneratorsIsBounded) {
  gate held;
  section_registry registry;
  std::atomic<int> calls{0};
  for (int index = 0; index < 20; ++index) {
    registry.keep("Hangs", [&] {
      ++calls;
      held.pass();
      return gmr::value();
    });
  }
  const auto sections = generate(registry, 5ms);
  ASSERT_EQ(sections.size(), 20U);
  EXPECT_LE(calls, 8);
  EXPECT_THAT(sections.back().error, HasSubstr("8 generators hang"));
  held.open();
}

TEST(SectionRegistry, TheDeadlineOfTheReportCountsToo) {
  gate held;
  section_registry registry;
  registry.keep("Hangs", [&] {
    held.pass();
    return gmr::value();
  });
  registry.keep("Late", [] { return gmr::value("fine"); });
  const auto sections = generate(registry, 60s, 50ms);
  ASSERT_EQ(sections.size(), 2U);
  EXPECT_THAT(sections[0].error, HasSubstr("no answer within 0.0"));
  EXPECT_EQ(sections[1].error, "not asked: no time left for this report");
  held.open();
}

TEST(SectionRegistry, AGuardWaitsForItsGenerator) {
  gate held;
  section_registry registry;
  std::atomic<bool> finished{false};
  auto guard = registry.add("Section", [&] {
    held.pass();
    finished = true;
    return gmr::value();
  });
  auto report = std::async(std::launch::async, [&] { return generate(registry); });
  held.wait_until_entered();
  auto removal = std::async(std::launch::async, [&] {
    guard.reset();
    return finished.load();
  });
  EXPECT_EQ(removal.wait_for(50ms), std::future_status::timeout);
  held.open();
  EXPECT_TRUE(removal.get());
  EXPECT_TRUE(report.get().empty());
  EXPECT_TRUE(generate(registry).empty());
}

TEST(SectionRegistry, AGeneratorMayRemoveItself) {
  section_registry registry;
  const auto captured = std::make_shared<int>(1);
  std::shared_ptr<void> guard;
  guard = registry.add("Once", [&guard, captured] {
    guard.reset();
    return gmr::value(*captured);
  });
  EXPECT_TRUE(generate(registry).empty());
  while (captured.use_count() > 1)
    std::this_thread::yield();
  EXPECT_TRUE(generate(registry).empty());
}

TEST(SectionRegistry, RemovalDestroysWhatTheGeneratorCaptured) {
  section_registry registry;
  const auto captured = std::make_shared<int>(1);
  auto guard = registry.add("Section", [captured] { return gmr::value(*captured); });
  EXPECT_EQ(generate(registry).size(), 1U);
  guard.reset();
  EXPECT_EQ(captured.use_count(), 1);
}

TEST(SectionRegistry, AGuardMayOutliveTheRegistry) {
  std::shared_ptr<void> guard;
  {
    section_registry registry;
    guard = registry.add("Section", [] { return gmr::value(); });
    EXPECT_EQ(generate(registry).size(), 1U);
  }
  guard.reset();
}

TEST(SectionRegistry, AGeneratorThatEndsItsThreadIsAnError) {
  section_registry registry;
  registry.keep("Exits", []() -> gmr::value { ::pthread_exit(nullptr); });
  registry.keep("Works", [] { return gmr::value("fine"); });
  for (int report = 0; report < 3; ++report) {
    const auto sections = generate(registry);
    ASSERT_EQ(sections.size(), 2U);
    EXPECT_EQ(sections[0].error, "the generator ended its thread");
    EXPECT_EQ(text_of(sections[1]), "fine");
  }
}

TEST(SectionRegistry, SectionsComeAndGoWhileReportsAreMade) {
  section_registry registry;
  registry.keep("Stays", [] { return gmr::value("here"); });
  std::atomic<bool> stop{false};
  std::vector<std::jthread> threads;
  for (int index = 0; index < 3; ++index) {
    threads.emplace_back([&] {
      while (!stop) {
        int local = 0;
        const auto guard = registry.add("Passing", [&local] { return gmr::value(++local); });
        std::this_thread::yield();
      }
    });
  }
  for (int report = 0; report < 200; ++report) {
    const auto sections = generate(registry);
    ASSERT_FALSE(sections.empty());
    EXPECT_EQ(text_of(sections[0]), "here");
    for (const custom_section& section : sections)
      EXPECT_EQ(section.error, "");
  }
  stop = true;
}

TEST(SectionRegistry, ReportsFromTwoThreadsAreMadeOneAfterTheOther) {
  section_registry registry;
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  registry.keep("Section", [&] {
    most = std::max(most.load(), ++inside);
    std::this_thread::yield();
    --inside;
    return gmr::value("fine");
  });
  const auto make_some = [&] {
    for (int report = 0; report < 50; ++report)
      EXPECT_EQ(text_of(generate(registry).at(0)), "fine");
  };
  std::jthread other{make_some};
  make_some();
  other.join();
  EXPECT_EQ(most, 1);
}

}  // namespace
