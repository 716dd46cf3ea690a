#include "os/memory_room.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

#include "os/file_text.hpp"
#include "text/lines.hpp"

namespace gmr::os {
namespace {

constexpr std::size_t most_levels = 32;
constexpr std::size_t longest_mounts = 1 << 20;

// One of the two versions of control groups has the process's memory.
struct group_files {
  const char* limit;
  const char* softer;  // beyond it the group is slowed down; null where there is none
  const char* usage;
  const char* inactive;  // of memory.stat: what caches files
  const char* active;
};
constexpr group_files groups_2{"memory.max", "memory.high", "memory.current", "inactive_file",
                               "active_file"};
constexpr group_files groups_1{"memory.limit_in_bytes", nullptr, "memory.usage_in_bytes",
                               "total_inactive_file", "total_active_file"};

std::optional<std::uint64_t> parse(std::string_view text) {
  text = texts::trimmed(text);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end != text.data() ? std::optional{number} : std::nullopt;
}

std::optional<std::uint64_t> number_in(const std::string& path) {
  const file_text file = read_file(path);
  return file.ok() ? parse(file.content) : std::nullopt;
}

// Of a file with a name, perhaps a colon, and a number on each line.
std::uint64_t named_number(std::string_view content, std::string_view name) {
  while (!content.empty()) {
    std::string_view line = texts::take_line(content);
    if (!line.starts_with(name)) continue;
    line.remove_prefix(name.size());
    if (line.empty() || (line.front() != ' ' && line.front() != ':')) continue;
    line.remove_prefix(1);
    return parse(line).value_or(0);
  }
  return 0;
}

void take(memory_room& least, std::uint64_t limit, std::uint64_t used, const std::string& name) {
  const std::uint64_t left = limit > used ? limit - used : 0;
  if (left < least.bytes) least = {left, name};
}

void look_at_group(const std::string& folder, const std::string& group, const group_files& files,
                   memory_room& least) {
  for (const char* const name : {files.limit, files.softer}) {
    const auto limit = name == nullptr ? std::nullopt : number_in(folder + "/" + name);
    if (!limit) continue;  // "max", or the root
    const std::string shares = read_file(folder + "/memory.stat").content;
    const std::uint64_t used = number_in(folder + "/" + files.usage).value_or(0);
    const std::uint64_t cached =
        named_number(shares, files.inactive) + named_number(shares, files.active);
    take(least, *limit, used - std::min(used, cached),
         std::string{name} + " of the control group " + group);
  }
}

struct group_mount {
  std::string place;
  std::string top;  // the group that is seen there
  bool is_newer = false;
};

// "35 31 0:32 /top /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory"
std::optional<group_mount> parse_mount(std::string_view line) {
  group_mount found;
  for (int skipped = 0; skipped < 3; ++skipped)
    static_cast<void>(texts::take_until(line, ' '));
  found.top = texts::take_until(line, ' ');
  found.place = texts::take_until(line, ' ');
  const std::size_t mark = line.find(" - ");
  if (mark == std::string_view::npos) return std::nullopt;
  line.remove_prefix(mark + 3);
  const std::string_view kind = texts::take_until(line, ' ');
  static_cast<void>(texts::take_until(line, ' '));
  found.is_newer = kind == "cgroup2";
  const bool of_memory =
      kind == "cgroup" &&
      (std::string{","} += std::string{line} + ",").find(",memory,") != std::string::npos;
  return found.is_newer || of_memory ? std::optional{found} : std::nullopt;
}

// "4:memory:/group" or "0::/group"
std::string group_of(std::string_view groups, bool is_newer) {
  while (!groups.empty()) {
    std::string_view line = texts::take_line(groups);
    static_cast<void>(texts::take_until(line, ':'));
    const std::string controllers = "," + std::string{texts::take_until(line, ':')} + ",";
    if (is_newer ? controllers == ",," : controllers.find(",memory,") != std::string::npos)
      return std::string{line};
  }
  return {};
}

// Whether it is that group, or one of those below it.
bool is_within(std::string_view group, std::string_view top) noexcept {
  return group.starts_with(top) && (group.size() == top.size() || group[top.size()] == '/');
}

void look_at_groups(const std::string& root, const group_mount& mount, std::string group,
                    memory_room& least) {
  if (!group.starts_with('/')) return;
  // A container may see its own group as the top, and still be told its whole name.
  const std::string top = mount.top == "/" ? "" : mount.top;
  if (is_within(group, top)) group.erase(0, top.size());
  for (std::size_t level = 0; level < most_levels; ++level) {
    if (group == "/") group.clear();
    const std::string name = top + group;
    std::string folder = root;
    folder.append(mount.place).append(group);
    look_at_group(folder, name.empty() ? "/" : name, mount.is_newer ? groups_2 : groups_1, least);
    const std::size_t parent = group.find_last_of('/');
    if (parent == std::string::npos) return;
    group.erase(parent);
  }
}

void look_at_own_limits(const std::string& root, memory_room& least) {
  const std::string sizes = read_file(root + "/proc/self/status").content;
  constexpr std::uint64_t kib = 1024;
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    take(least, limit.rlim_cur, named_number(sizes, "VmSize") * kib, "RLIMIT_AS");
  if (::getrlimit(RLIMIT_DATA, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    take(least, limit.rlim_cur, named_number(sizes, "VmData") * kib, "RLIMIT_DATA");
}

}  // namespace

memory_room look_at_memory(const std::string& root) {
  memory_room least;
  look_at_own_limits(root, least);
  constexpr std::uint64_t kib = 1024;
  const std::string machine = read_file(root + "/proc/meminfo").content;
  if (const std::uint64_t left = named_number(machine, "MemAvailable"); left != 0)
    take(least, left * kib, 0, "the machine's memory (MemAvailable)");
  const std::string groups = read_file(root + "/proc/self/cgroup").content;
  const std::string mounts = read_file(root + "/proc/self/mountinfo", longest_mounts).content;
  std::string_view rest = mounts;
  while (!rest.empty()) {
    if (const auto mount = parse_mount(texts::take_line(rest)))
      look_at_groups(root, *mount, group_of(groups, mount->is_newer), least);
  }
  return least;
}

}  // namespace gmr::os
