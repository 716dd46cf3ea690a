// The Process section of real processes: this one, and ones started for the purpose.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

#include "facts/facts.hpp"
#include "support/scratch_directory.hpp"
#include "support/values.hpp"
#include "text/times.hpp"

namespace {

using testing::HasSubstr;
using values::at;

gmr::value process_section(const std::vector<std::string>& secret_options = {}) {
  gmr::analyse::socket_list sockets;
  return gmr::facts::process_section(sockets, secret_options);
}

// Runs the check in a child process, where limits can be changed; true when it succeeded there.
bool succeeds_in_child(const std::function<bool()>& check) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(check() ? 0 : 1);
  int status = 0;
  return ::waitpid(child, &status, 0) == child && status == 0;
}

TEST(ProcessSection, SaysWhoRuns) {
  const gmr::value section = process_section();
  EXPECT_EQ(values::number(at(section, "pid")), static_cast<std::uint64_t>(::getpid()));
  EXPECT_EQ(values::number(at(section, "parent", "pid")), static_cast<std::uint64_t>(::getppid()));
  std::ifstream parent{"/proc/" + std::to_string(::getppid()) + "/comm"};
  std::string name;
  std::getline(parent, name);
  EXPECT_EQ(values::text(at(section, "parent", "name")), name);
  EXPECT_EQ(values::number(at(section, "user", "uid")), ::geteuid());
  EXPECT_EQ(values::text(at(section, "user", "name")), ::getpwuid(::geteuid())->pw_name);
  EXPECT_EQ(values::text(at(section, "executable")),
            std::filesystem::read_symlink("/proc/self/exe"));
  EXPECT_EQ(values::text(at(section, "working_directory")), std::filesystem::current_path());
  EXPECT_THAT(values::text(at(section, "command_line")), HasSubstr("facts_test"));
  EXPECT_FALSE(values::has(section, "unavailable"));
}

// As setproctitle() does: the title is written over the arguments, and the rest of them is empty.
bool write_title(std::string_view title) {
  std::ifstream stat{"/proc/self/stat"};
  std::string line;
  std::getline(stat, line);
  std::istringstream fields{line.substr(line.rfind(')') + 2)};
  std::string field;
  for (int number = 3; number < 48 && fields >> field; ++number) {
  }
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  fields >> begin >> end;
  const std::span arguments{reinterpret_cast<char*>(begin), end - begin};
  if (!fields || arguments.size() < title.size() + 3) return false;
  std::ranges::fill(arguments, '\0');
  title.copy(arguments.data(), title.size());
  return true;
}

TEST(ProcessSection, ShowsATitleThatTheProgramHasGivenItself) {
  EXPECT_TRUE(succeeds_in_child([] {
    return write_title("x: password=secret on") &&
           values::text(at(process_section(), "command_line")) == "x: password=*** on";
  }));
}

// Prints it too, for the test that follows.
TEST(ProcessSection, ShowsItsCommandLine) {
  const std::string line = values::text(at(process_section({"db.note"}), "command_line"));
  EXPECT_THAT(line.substr(0, line.find(' ')), testing::EndsWith("facts_test"));
  std::cout << line << std::endl;
}

TEST(ProcessSection, MasksSecretsOfItsCommandLine) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  const std::string command =
      self + " --gtest_filter=ProcessSection.ShowsItsCommandLine" +
      " --db.password=hunter2 --db.note=hunter2 --token hunter2 'pg://u:hunter2@h/' 'two words'";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> output{::popen(command.c_str(), "r"),
                                                               ::pclose};
  ASSERT_TRUE(output);
  std::string printed;
  for (int c = std::fgetc(output.get()); c != EOF; c = std::fgetc(output.get()))
    printed += static_cast<char>(c);
  EXPECT_THAT(printed, HasSubstr("--db.password=*** --db.note=*** --token *** pg://u:***@h/ "
                                 "\"two words\"\n"));
  EXPECT_THAT(printed, testing::Not(HasSubstr("hunter2")));
}

TEST(ProcessSection, SaysSinceWhen) {
  const gmr::value section = process_section();
  const double uptime = std::get<double>(at(section, "uptime_seconds").get());
  EXPECT_GE(uptime, 0);
  EXPECT_LT(uptime, 3600);
  const std::string start = values::text(at(section, "start_time"));
  const auto now = std::chrono::system_clock::now();
  EXPECT_LE(start, gmr::texts::utc_time(now));
  EXPECT_GE(start, gmr::texts::utc_time(now - std::chrono::hours{1}));
}

TEST(ProcessSection, SaysWhatItUses) {
  const gmr::value section = process_section();
  EXPECT_GE(std::get<double>(at(section, "cpu_seconds", "user").get()), 0);
  const std::uint64_t resident = values::number(at(section, "memory_bytes", "resident"));
  EXPECT_GT(resident, 100'000U);
  EXPECT_LE(resident, values::number(at(section, "memory_bytes", "peak")));
  EXPECT_LE(resident, values::number(at(section, "memory_bytes", "virtual")));
}

TEST(ProcessSection, NamesTheDescriptorsThatWereOpenedLast) {
  constexpr int above_all = 900;
  const gmr::test::scratch_directory folder;
  const std::string path = folder.path() / "left-open";
  const int low = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
  const int high = ::fcntl(low, F_DUPFD, above_all);
  const auto newest =
      std::get<gmr::table>(at(process_section(), "open_descriptors", "newest").get());
  ::close(low);
  ::close(high);
  ASSERT_FALSE(newest.rows.empty());
  EXPECT_LE(newest.rows.size(), 8U);
  EXPECT_EQ(values::number(newest.rows.front().at(0)), static_cast<std::uint64_t>(high));
  EXPECT_EQ(values::text(newest.rows.front().at(1)), path);
}

TEST(ProcessSection, CountsDescriptorsAndThreads) {
  const auto descriptors = [] {
    return values::number(at(process_section(), "open_descriptors", "count"));
  };
  static_cast<void>(descriptors());  // opens what is kept open for reports
  const std::uint64_t before = descriptors();
  const int more[] = {::open("/dev/null", O_RDONLY), ::open("/dev/null", O_RDONLY)};
  EXPECT_EQ(descriptors(), before + 2);
  for (const int descriptor : more)
    ::close(descriptor);
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_EQ(values::number(at(process_section(), "open_descriptors", "limit")), limit.rlim_cur);

  const auto wait = [](const std::stop_token& stop) {
    while (!stop.stop_requested())
      std::this_thread::yield();
  };
  // With the first thread a sanitizer may start one of its own.
  const std::jthread first{wait};
  const std::uint64_t threads = values::number(at(process_section(), "threads"));
  const std::jthread second{wait};
  EXPECT_EQ(values::number(at(process_section(), "threads")), threads + 1);
}

TEST(ProcessSection, ListsLimits) {
  const auto limits = std::get<gmr::table>(at(process_section(), "limits").get());
  rlimit stack{};
  ::getrlimit(RLIMIT_STACK, &stack);
  bool found = false;
  for (const auto& row : limits.rows) {
    ASSERT_EQ(row.size(), limits.columns.size());
    if (values::text(row[0]) != "stack bytes") continue;
    found = true;
    if (stack.rlim_cur == RLIM_INFINITY) {
      EXPECT_EQ(values::text(row[1]), "unlimited");
    } else {
      EXPECT_EQ(values::number(row[1]), stack.rlim_cur);
    }
  }
  EXPECT_TRUE(found);
}

TEST(ProcessSection, IsMadeWithoutAnyFreeDescriptor) {
  EXPECT_TRUE(succeeds_in_child([] {
    rlimit none{};
    ::getrlimit(RLIMIT_NOFILE, &none);
    none.rlim_cur = 3;
    if (::setrlimit(RLIMIT_NOFILE, &none) != 0) return false;
    while (::open("/dev/null", O_RDONLY) >= 0) {
    }
    const gmr::value section = process_section();
    return values::number(at(section, "pid")) == static_cast<std::uint64_t>(::getpid()) &&
           at(section, "command_line").is_null() && at(section, "threads").is_null() &&
           !at(section, "executable").is_null() && !at(section, "limits").is_null() &&
           values::text(values::items(at(section, "unavailable")).at(0))
                   .find("Too many open files") != std::string::npos;
  }));
}

TEST(ProcessSection, ShowsAWorkingDirectoryThatIsGone) {
  EXPECT_TRUE(succeeds_in_child([] {
    const gmr::test::scratch_directory gone;
    if (::chdir(gone.path().c_str()) != 0) return false;
    std::filesystem::remove(gone.path());
    return values::text(at(process_section(), "working_directory")) ==
           gone.path().string() + " (deleted)";
  }));
}

}  // namespace
