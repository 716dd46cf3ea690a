// What a report says in several places it says there alike.
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/variables_map.hpp>
#include <csignal>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gmr/reporter.hpp"
#include "live_process.hpp"
#include "os/files.hpp"
#include "os/task_stat.hpp"
#include "support/in_child.hpp"
#include "support/no_descriptors.hpp"

namespace gmr::test {
namespace {

namespace po = boost::program_options;
using nlohmann::ordered_json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Uninterruptible for as long as its child lives, as whoever waits for a disk.
[[gnu::noinline]] void stay_in_vfork(int until_closed) {
  if (::vfork() == 0) {
    char byte = 0;
    (void)!::read(until_closed, &byte, 1);
    ::_exit(0);
  }
}

TEST(Agreement, ThreadsAndProcessesInTheSameStateHaveTheSameWord) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the thread sanitizer makes vfork a fork, for which nobody waits";
#endif
  in_child([] {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[1]);
      stay_in_vfork(ends[0]);
      ::_exit(0);
    }
    const test_thread thread{[&] { stay_in_vfork(ends[0]); },
                             [&] { (void)!::write(ends[1], "xx", 2); }};
    wait_until([&] {
      const auto stat = os::read_process_stat(child);
      return stat && stat->state == 'D';
    });
    reporter from{package{.name = "agreement", .version = "1"}, settings{}};
    report made;
    wait_until([&] {
      made = from.make();
      return std::any_of(made.threads.begin(), made.threads.end(), [&](const thread_info& each) {
        return each.id == thread.id() && each.state == 'D';
      });
    });
    const json shown = json::parse(to_json(made));
    EXPECT_EQ(thread_of(shown, thread.id())["state"], "uninterruptible");
    json state_of_child;
    for (const json& each : shown["process"]["children"])
      if (each["pid"] == child) state_of_child = each["state"];
    EXPECT_EQ(state_of_child, "uninterruptible");
    EXPECT_THAT(to_text(made), Not(HasSubstr("disk sleep")));
  });
}

TEST(Agreement, OptionsHaveTheSameOrderInTextAndJson) {
  po::options_description all;
  all.add_options()("shop.zebra", po::value<int>()->default_value(1), "");
  all.add_options()("shop.apple", po::value<int>()->default_value(2), "");
  all.add_options()("bar.last", po::value<int>()->default_value(3), "");
  po::variables_map values;
  po::store(po::parsed_options(&all), values);
  reporter from{package{.name = "agreement", .version = "1"}, settings{}};
  from.add_configuration(all, values);
  const report made = from.make();

  const auto shown = ordered_json::parse(to_json(made))["configuration"];
  std::vector<std::string> in_json;
  std::vector<std::size_t> in_text;
  const std::string text = to_text(made);
  for (const auto& [section, options] : shown.items())
    for (const auto& [name, option] : options.items()) {
      in_json.push_back(section + "." + name);
      in_text.push_back(text.find("\n  " + name + " = "));
    }
  EXPECT_TRUE(std::is_sorted(in_text.begin(), in_text.end())) << text;
  EXPECT_THAT(in_json, ElementsAre("shop.zebra", "shop.apple", "bar.last"));
}

// What is the matter may be just that.
TEST(Agreement, AProcessWithoutDescriptorsIsDescribedAsAnyOther) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the undefined behaviour sanitizer opens a pipe to look at a vptr";
#endif
  in_child([] {
    reporter from{package{.name = "agreement", .version = "1"}, settings{}};
    os::keep_spare_descriptors();
    use_up_descriptors();
    const report made = from.make();
    EXPECT_THAT(made.notes, IsEmpty());
    EXPECT_THAT(to_text(made), Not(HasSubstr("unavailable")));
    EXPECT_THAT(to_text(made), Not(HasSubstr("Too many open files")));
    for (const thread_info& each : made.threads) {
#if defined(__SANITIZE_THREAD__)
      if (each.capture == capture_outcome::signal_blocked)
        continue;  // its own, without any signals
#endif
      EXPECT_EQ(each.capture, capture_outcome::ok) << each.note;
      EXPECT_FALSE(each.stack.frames.empty());
    }
  });
}

}  // namespace
}  // namespace gmr::test
