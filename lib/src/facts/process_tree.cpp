// Other processes: /proc/PID/stat and the tree of descendants. Processes come and go meanwhile: one
// that is gone when it is looked at is left out.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "facts/process_parts.hpp"
#include "os/errors.hpp"
#include "os/file_text.hpp"
#include "os/files.hpp"
#include "os/hidden_process.hpp"
#include "os/own_proc.hpp"
#include "os/task_stat.hpp"
#include "os/task_state.hpp"

namespace gmr::facts {
namespace {

constexpr std::size_t most_processes = 500;
constexpr std::size_t most_threads = 5000;  // of all these processes together
constexpr int most_depth = 32;

// Takes the next number off the text; false when there is none.
bool take_process(std::string_view& rest, pid_t& number) {
  rest.remove_prefix(std::min(rest.find_first_not_of(" \n"), rest.size()));
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc{}) return false;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  return true;
}

// Asks the kernel without taking the status of a child that ended from whoever waits for it. Most
// servers have no children, and looking for them costs 10 us or more a thread.
bool has_children() {
  siginfo_t ignored{};
  return ::waitid(P_ALL, 0, &ignored, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 || errno != ECHILD;
}

class tree_builder final {
 public:
  list build(pid_t process, int depth) {
    list nodes;
    for (const pid_t child : children_of(process, depth)) {
      const std::optional<os::task_stat> stat = os::read_process_stat(child);
      if (!stat || os::is_keeper(child)) continue;
      if (count_ >= most_processes || depth >= most_depth) {
        ++left_out_;
        continue;
      }
      ++count_;
      key_values node;
      node.add("pid", child).add("name", stat->name).add("state", os::state_word(stat->state));
      if (list below = build(child, depth + 1); !below.items.empty())
        node.add("children", std::move(below));
      nodes.items.emplace_back(std::move(node));
    }
    return nodes;
  }

  [[nodiscard]] int failure() const noexcept { return failure_; }
  [[nodiscard]] std::size_t left_out() const noexcept { return left_out_; }
  [[nodiscard]] bool all_threads_asked() const noexcept { return threads_ < most_threads; }

 private:
  // The kernel lists children by the thread that made them. Threads and children come and go: only
  // what fails for the process itself is a failure.
  std::vector<pid_t> children_of(pid_t process, int depth) {
    std::vector<pid_t> found;
    const std::string tasks =
        "/proc/" + (process == ::getpid() ? "self" : std::to_string(process)) + "/task";
    os::directory_names threads{AT_FDCWD, tasks.c_str()};
    while (const char* const name = threads_ < most_threads ? threads.next() : nullptr) {
      ++threads_;
      add_children_of_thread(tasks + "/" + name, depth, found);
    }
    if (threads.error() != 0 && depth == 0 && failure_ == 0) failure_ = threads.error();
    return found;
  }

  void add_children_of_thread(const std::string& task, int depth, std::vector<pid_t>& found) {
    const os::file_text listed = os::read_file(task + "/children");
    struct stat exists{};
    if (!listed.ok() && depth == 0 && failure_ == 0 && ::stat(task.c_str(), &exists) == 0)
      failure_ = listed.error;
    std::string_view rest = listed.content;
    for (pid_t child = 0; take_process(rest, child);)
      found.push_back(child);
  }

  std::size_t threads_ = 0;
  std::size_t count_ = 0;
  std::size_t left_out_ = 0;
  int failure_ = 0;
};

}  // namespace

value children_tree(pid_t process, unavailable_parts& unavailable) {
  if (process == ::getpid() && !has_children()) return list{};
  if (!os::proc_numbers_are_ours()) {
    unavailable.emplace_back("children: /proc belongs to another PID namespace");
    return {};
  }
  tree_builder builder;
  list nodes = builder.build(process, 0);
  if (builder.failure() != 0) {
    unavailable.push_back("children: " + os::error_text(builder.failure()));
    if (nodes.items.empty()) return {};
  }
  if (builder.left_out() != 0) {
    unavailable.push_back("children: " + std::to_string(builder.left_out()) +
                          " more and their descendants are left out");
  }
  if (!builder.all_threads_asked()) {
    unavailable.emplace_back("children: those of more than " + std::to_string(most_threads) +
                             " threads are left out");
  }
  return nodes;
}

}  // namespace gmr::facts
