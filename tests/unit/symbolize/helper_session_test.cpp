// The helper program as a service meets it.
#include "symbolize/helper_session.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "os/modules.hpp"

namespace gmr::symbolize {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
constexpr std::uint64_t enough = 12U << 20;

std::string line_of(pid_t process, const std::string& file, const std::string& beginning) {
  std::ifstream lines{"/proc/" + std::to_string(process) + "/" + file};
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(beginning)) return line.substr(beginning.size());
  return {};
}

// The keepers of this process and their programs.
std::set<pid_t> running() {
  std::set<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const pid_t process = std::stoi(name);
    if (line_of(process, "comm", "") != helper_name) continue;
    const pid_t parent = std::atoi(line_of(process, "status", "PPid:").c_str());
    if (parent == ::getpid() || std::atoi(line_of(parent, "status", "PPid:").c_str()) == ::getpid())
      found.insert(process);
  }
  return found;
}

// The program, once it shows itself by its name.
pid_t only_program() {
  const auto end = clock::now() + 10s;
  while (clock::now() < end) {
    for (const pid_t each : running())
      if (std::atoi(line_of(each, "status", "PPid:").c_str()) != ::getpid()) return each;
  }
  ADD_FAILURE() << "no program is running";
  return -1;
}

// Never a group of processes.
void send(pid_t process, int signal) {
  if (process > 0) ::kill(process, signal);
}

std::atomic<int> child_signals{0};

class HelperSession : public testing::Test {
 protected:
  void SetUp() override {
    struct sigaction action{};
    action.sa_handler = [](int) { ++child_signals; };
    ::sigaction(SIGCHLD, &action, &before_);
    child_signals = 0;
  }
  void TearDown() override { ::sigaction(SIGCHLD, &before_, nullptr); }

  void start(std::uint64_t memory = enough) {
    const os::start_failure failure = session_.start(memory, "/usr/lib/debug", clock::now() + 10s);
    ASSERT_EQ(failure.step, nullptr) << failure.step << ": " << failure.error;
  }
  // The readable name of a symbol.
  std::string ask(const std::string& symbol, clock::duration time = 10s) {
    const auto deadline = clock::now() + time;
    session_.say(to_message(demangle_order{{symbol}}), deadline);
    const auto next = session_.listen(deadline);
    found_answer answer;
    if (!next || next->kind != message_kind::found || !parse(next->content, answer)) return {};
    const std::string name = answer.places.at(0).function;
    EXPECT_TRUE(session_.listen(deadline).has_value());  // finished
    return name;
  }

  struct sigaction before_{};
  helper_session session_;
};

TEST_F(HelperSession, AnswersAndIsNoChildOfTheService) {
  start();
  EXPECT_EQ(ask("_ZN2ns1fEv"), "ns::f()");
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "the service sees a child";
  EXPECT_EQ(errno, ECHILD);
  session_.stop();
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(child_signals, 0) << "the service was told of a child's end";
  EXPECT_TRUE(running().empty());
}

// To read what setenv has changed since would race with the next setenv.
TEST_F(HelperSession, HasTheEnvironmentThatTheProgramWasStartedWith) {
  ::setenv("XDG_CACHE_HOME", "/set/later", 1);
  start();
  std::ifstream file{"/proc/" + std::to_string(only_program()) + "/environ"};
  const std::string environment{std::istreambuf_iterator<char>{file}, {}};
  EXPECT_EQ(environment.find("/set/later"), std::string::npos);
  const char* const home = std::getenv("HOME");
  ASSERT_NE(home, nullptr);
  EXPECT_NE(environment.find(std::string{"HOME="} + home), std::string::npos);
  ::unsetenv("XDG_CACHE_HOME");
}

TEST_F(HelperSession, HasNoDescriptorOfTheService) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);  // not even one that is left open in programs that are executed
  start();
  EXPECT_EQ(ask("_ZN2ns1fEv"), "ns::f()");
  std::set<std::string> kinds;
  for (const pid_t each : running()) {
    for (const auto& entry :
         std::filesystem::directory_iterator{"/proc/" + std::to_string(each) + "/fd"}) {
      const std::string target = std::filesystem::read_symlink(entry.path());
      kinds.insert(target.substr(0, target.find('[')));
    }
  }
  EXPECT_EQ(kinds, (std::set<std::string>{
                       "/dev/null", "socket:", std::filesystem::read_symlink("/proc/self/exe")}));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(HelperSession, ANameThatExplodesIsGivenAsItIs) {
  start();
  // pair<pair<..., ...>, pair<..., ...>>: a thousand million characters.
  const std::string digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  std::string nested = "S0_IiiE";  // S0_ is the template, S1_ the first of these
  for (std::size_t level = 0; level < 26; ++level)
    nested = (level == 25 ? "4pairI" : "S0_I") + nested + "S" + digits[level + 1] + "_E";
  const std::string symbol = "_Z1fI" + nested + "Evv";
  const auto before = clock::now();
  const std::string name = ask(symbol);
  EXPECT_LT(clock::now() - before, 3s);
  EXPECT_EQ(name, symbol);
  EXPECT_EQ(ask("_ZN2ns1fEv"), "ns::f()") << "the next name is given";
}

TEST_F(HelperSession, TooLittleMemoryIsAnEndWithAReason) {
  start(2U << 20);
  const auto modules = os::read_modules();
  const auto deadline = clock::now() + 10s;
  for (const auto& each : modules->loaded()) {
    if (!session_.say(to_message(open_order{name_level::full, *each}), deadline)) break;
    const std::vector<std::uintptr_t> all(60'000, each->segments.front().address);
    session_.say(to_message(locate_order{all}), deadline);
    while (const auto next = session_.listen(deadline))
      if (next->kind == message_kind::finished) break;
  }
  ASSERT_FALSE(session_.is_running());
  EXPECT_EQ(session_.end().why, helper_end::reason::no_memory);
}

TEST_F(HelperSession, ItsDeathIsSeenAtOnce) {
  start();
  EXPECT_EQ(ask("_ZN2ns1fEv"), "ns::f()");
  send(only_program(), SIGBUS);
  EXPECT_EQ(ask("_ZN2ns1fEv"), "");
  EXPECT_FALSE(session_.is_running());
  EXPECT_EQ(session_.end().why, helper_end::reason::signal);
  EXPECT_EQ(session_.end().value, SIGBUS);
}

TEST_F(HelperSession, IsStoppedAtTheDeadline) {
  start();
  send(only_program(), SIGSTOP);
  const auto before = clock::now();
  EXPECT_EQ(ask("_ZN2ns1fEv", 300ms), "");
  EXPECT_LT(clock::now() - before, 1300ms);
  EXPECT_EQ(session_.end().why, helper_end::reason::out_of_time);
  EXPECT_TRUE(running().empty());
}

}  // namespace
}  // namespace gmr::symbolize
