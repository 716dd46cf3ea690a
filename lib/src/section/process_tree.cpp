// Other processes: /proc/PID/stat and the tree of descendants. Processes come and go meanwhile: one
// that is gone when it is looked at is left out.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>

#include "section/file_text.hpp"
#include "section/process_parts.hpp"

namespace gmr::sections {
namespace {

constexpr std::size_t most_processes = 500;
constexpr std::size_t most_threads = 5000;  // of all these processes together
constexpr int most_depth = 32;

template <class Number>
bool take_number(std::string_view& rest, Number& number) {
  rest.remove_prefix(std::min(rest.find_first_not_of(" \n"), rest.size()));
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc{}) return false;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  return true;
}

std::string_view state_word(char state) {
  switch (state) {
    case 'R':
      return "running";
    case 'S':
      return "sleeping";
    case 'D':
      return "disk sleep";
    case 'T':
      return "stopped";
    case 't':
      return "traced";
    case 'Z':
      return "zombie";
    case 'X':
      return "dead";
    case 'I':
      return "idle";
    default:
      return "unknown";
  }
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
      const std::optional<process_stat> stat = read_stat(child);
      if (!stat) continue;
      if (count_ >= most_processes || depth >= most_depth) {
        ++left_out_;
        continue;
      }
      ++count_;
      key_values node;
      node.add("pid", child).add("name", stat->name).add("state", state_word(stat->state));
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
    namespace fs = std::filesystem;
    std::vector<pid_t> found;
    std::error_code error;
    fs::directory_iterator task{"/proc/" + std::to_string(process) + "/task", error};
    for (; !error && task != fs::directory_iterator{}; task.increment(error)) {
      if (threads_ >= most_threads) return found;
      ++threads_;
      const file_text listed = read_file(task->path() / "children");
      std::error_code gone;
      if (!listed.ok() && depth == 0 && failure_ == 0 && fs::exists(task->path(), gone))
        failure_ = listed.error;
      std::string_view rest = listed.content;
      for (pid_t child = 0; take_number(rest, child);)
        found.push_back(child);
    }
    if (error && depth == 0 && failure_ == 0) failure_ = error.value();
    return found;
  }

  std::size_t threads_ = 0;
  std::size_t count_ = 0;
  std::size_t left_out_ = 0;
  int failure_ = 0;
};

}  // namespace

std::optional<process_stat> parse_stat(std::string_view content) {
  // The name is in parentheses and may hold some itself: its end is the last one.
  const std::size_t open = content.find('(');
  const std::size_t close = content.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return std::nullopt;
  process_stat stat;
  stat.name = content.substr(open + 1, close - open - 1);
  std::string_view rest = trimmed(content.substr(close + 1));
  if (rest.empty()) return std::nullopt;
  stat.state = rest.front();
  rest.remove_prefix(1);
  if (!take_number(rest, stat.parent)) return std::nullopt;
  constexpr int threads_field = 20;  // as proc(5) counts; the parent was 4
  constexpr int start_field = 22;
  std::int64_t skipped = 0;
  for (int field = 5; field < threads_field; ++field)
    if (!take_number(rest, skipped)) return std::nullopt;
  if (!take_number(rest, stat.threads)) return std::nullopt;
  for (int field = threads_field + 1; field < start_field; ++field)
    if (!take_number(rest, skipped)) return std::nullopt;
  if (!take_number(rest, stat.start_ticks)) return std::nullopt;
  return stat;
}

std::optional<process_stat> read_stat(pid_t process) {
  const file_text text = read_file("/proc/" + std::to_string(process) + "/stat");
  return text.ok() ? parse_stat(text.content) : std::nullopt;
}

value children_tree(pid_t process, unavailable_parts& unavailable) {
  if (process == ::getpid() && !has_children()) return list{};
  tree_builder builder;
  list nodes = builder.build(process, 0);
  if (builder.failure() != 0) {
    unavailable.push_back("children: " + error_text(builder.failure()));
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

}  // namespace gmr::sections
