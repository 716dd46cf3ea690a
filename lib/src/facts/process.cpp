// The Process section, from /proc/self and system calls. A server in trouble may be out of
// descriptors or memory, so each part fails by itself, and what needs no descriptor uses none.
// Users are looked up in /etc/passwd only: directory services may hang.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "facts/descriptor_kinds.hpp"
#include "facts/facts.hpp"
#include "facts/process_parts.hpp"
#include "options/masking.hpp"
#include "os/errors.hpp"
#include "os/file_text.hpp"
#include "os/files.hpp"
#include "os/own_executable.hpp"
#include "os/own_proc.hpp"
#include "os/task_stat.hpp"
#include "os/users.hpp"
#include "text/lines.hpp"
#include "text/times.hpp"

namespace gmr::facts {
namespace {

value user_section() {
  key_values user;
  user.add("name", os::user_name(::geteuid())).add("uid", ::geteuid());
  if (::getuid() != ::geteuid()) user.add("real_uid", ::getuid());
  return user;
}

value parent_section() {
  const pid_t parent = ::getppid();
  const std::optional<os::task_stat> stat =
      os::proc_numbers_are_ours() ? os::read_process_stat(parent) : std::nullopt;
  key_values result;
  result.add("pid", parent).add("name", stat ? value{stat->name} : value{});
  return result;
}

// As one would type it in a shell, more or less.
std::string quoted(const std::string& argument) {
  if (!argument.empty() && argument.find_first_of(" \t\n\"'\\$`") == std::string::npos)
    return argument;
  std::string text = "\"";
  for (const char c : argument) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

// The program has written a title over its arguments, as setproctitle() does: what is left of them
// is empty.
bool is_title(const std::vector<std::string>& arguments) {
  return arguments.size() > 2 && !arguments.front().empty() &&
         std::all_of(arguments.begin() + 1, arguments.end(),
                     [](const std::string& each) { return each.empty(); });
}

std::vector<std::string> words_of(std::string_view title) {
  std::vector<std::string> words;
  for (std::size_t end = 0; end != title.npos; title.remove_prefix(end + 1)) {
    end = title.find(' ');
    words.emplace_back(title.substr(0, end));
    if (end == title.npos) break;
  }
  return words;
}

value command_line(const std::vector<std::string>& secret_options, unavailable_parts& unavailable) {
  const os::file_text text = os::read_file("/proc/self/cmdline");
  if (!text.ok()) {
    unavailable.push_back("command_line: " + os::error_text(text.error));
    return {};
  }
  std::vector<std::string> arguments;
  std::string_view rest = text.content;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\0');
    arguments.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  std::string line;
  if (is_title(arguments)) {
    for (const std::string& word :
         loading::mask_arguments(words_of(arguments.front()), secret_options))
      line += (line.empty() ? "" : " ") + word;
    return line;
  }
  for (const std::string& argument : loading::mask_arguments(std::move(arguments), secret_options))
    line += (line.empty() ? "" : " ") + quoted(argument);
  if (text.truncated) line += " ...";
  return line;
}

value path_or_reason(os::file_text target, const char* part, unavailable_parts& unavailable) {
  if (target.ok()) return std::move(target.content);
  unavailable.push_back(std::string(part) + ": " + os::error_text(target.error));
  return {};
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

value cpu_section(unavailable_parts& unavailable) {
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) != 0) {
    unavailable.push_back("cpu_seconds: " + os::error_text(errno));
    return {};
  }
  key_values cpu;
  cpu.add("user", seconds_of(used.ru_utime)).add("system", seconds_of(used.ru_stime));
  return cpu;
}

value memory_section(unavailable_parts& unavailable) {
  const os::file_text status = os::read_file("/proc/self/status");
  if (!status.ok()) {
    unavailable.push_back("memory_bytes: " + os::error_text(status.error));
    return {};
  }
  constexpr std::array<std::pair<std::string_view, const char*>, 3> fields{
      {{"VmRSS:", "resident"}, {"VmHWM:", "peak"}, {"VmSize:", "virtual"}}};
  key_values memory;
  for (const auto& [field, name] : fields) {
    value found;
    for (std::string_view rest = status.content; !rest.empty();) {
      const std::string_view line = texts::take_line(rest);
      if (line.starts_with(field))
        found = std::strtoull(std::string(line.substr(field.size())).c_str(), nullptr, 10) * 1024;
    }
    memory.add(name, std::move(found));
  }
  return memory;
}

// Since Linux 6.2 the directory has its number of entries as size; before they must be counted.
value open_descriptors(unavailable_parts& unavailable) {
  struct stat directory{};
  if (::stat("/proc/self/fd", &directory) == 0 && directory.st_size > 0) return directory.st_size;
  std::uint64_t count = 0;
  os::directory_names numbers{AT_FDCWD, "/proc/self/fd"};
  while (numbers.next() != nullptr)
    ++count;
  if (numbers.error() == 0) return count - 1;  // without the one that counts
  unavailable.push_back("open_descriptors: " + os::error_text(numbers.error()));
  return {};
}

value descriptors_section(analyse::socket_list& sockets, unavailable_parts& unavailable) {
  constexpr std::chrono::milliseconds longest{50};
  key_values descriptors;
  descriptors.add("count", open_descriptors(unavailable)).add("limit", descriptor_limit());
  const descriptor_kinds found = count_descriptor_kinds(longest);
  table kinds{{"kind", "count"}, {}};
  for (const auto& [kind, count] : found.kinds)
    kinds.rows.push_back({kind, count});
  descriptors.add("looked_at", found.looked_at).add("kinds", std::move(kinds));
  if (!found.is_complete)
    unavailable.push_back("kinds of open_descriptors: " + std::to_string(found.looked_at) +
                          " were looked at, then the time for it was over");
  if (found.error != 0)
    unavailable.push_back("kinds of open_descriptors: " + os::error_text(found.error));
  descriptors.add("newest", newest_descriptors(sockets, unavailable));
  return descriptors;
}

void add_times(key_values& process, const os::task_stat& stat) {
  timespec since_boot{};
  if (::clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0) {
    process.add("start_time", {}).add("uptime_seconds", {});
    return;
  }
  const double now =
      static_cast<double>(since_boot.tv_sec) + static_cast<double>(since_boot.tv_nsec) / 1e9;
  const double start = static_cast<double>(stat.start_ticks) / os::ticks_a_second();
  const double uptime = std::max(now - start, 0.0);
  const auto elapsed = std::chrono::duration_cast<std::chrono::system_clock::duration>(
      std::chrono::duration<double>(uptime));
  process.add("start_time", texts::utc_time(std::chrono::system_clock::now() - elapsed))
      .add("uptime_seconds", uptime);
}

}  // namespace

value process_section(analyse::socket_list& sockets,
                      const std::vector<std::string>& secret_options) {
  unavailable_parts unavailable;
  const std::optional<os::task_stat> self = os::read_own_stat();
  key_values process;
  process.add("pid", ::getpid()).add("parent", parent_section()).add("user", user_section());
  process.add("command_line", command_line(secret_options, unavailable))
      .add("executable", path_or_reason(os::path_of_executable(), "executable", unavailable))
      .add("working_directory",
           path_or_reason(os::read_link("/proc/self/cwd"), "working_directory", unavailable));
  if (self) {
    add_times(process, *self);
  } else {
    process.add("start_time", {}).add("uptime_seconds", {});
    unavailable.emplace_back("start_time, uptime_seconds, threads: /proc/self/stat");
  }
  process.add("cpu_seconds", cpu_section(unavailable))
      .add("memory_bytes", memory_section(unavailable))
      .add("open_descriptors", descriptors_section(sockets, unavailable))
      .add("threads", self ? value{self->threads} : value{})
      .add("limits", limits_table(unavailable))
      .add("children", children_tree(::getpid(), unavailable));
  if (!unavailable.empty()) {
    list parts;
    for (std::string& part : unavailable)
      parts.items.emplace_back(std::move(part));
    process.add("unavailable", std::move(parts));
  }
  return process;
}

}  // namespace gmr::facts
