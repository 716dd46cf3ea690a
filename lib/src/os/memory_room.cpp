#include "os/memory_room.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "os/control_groups.hpp"
#include "os/file_text.hpp"
#include "text/lines.hpp"

namespace gmr::os {
namespace {

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

std::optional<std::uint64_t> number_in(const std::string& path) {
  const file_text file = read_file(path);
  return file.ok() ? texts::number_in(file.content) : std::nullopt;
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
    const std::uint64_t cached = texts::named_number(shares, files.inactive).value_or(0) +
                                 texts::named_number(shares, files.active).value_or(0);
    take(least, *limit, used - std::min(used, cached),
         std::string{name} + " of the control group " + group);
  }
}

void look_at_own_limits(const std::string& root, memory_room& least) {
  const std::string sizes = read_file(root + "/proc/self/status").content;
  constexpr std::uint64_t kib = 1024;
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    take(least, limit.rlim_cur, texts::named_number(sizes, "VmSize").value_or(0) * kib,
         "RLIMIT_AS");
  if (::getrlimit(RLIMIT_DATA, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    take(least, limit.rlim_cur, texts::named_number(sizes, "VmData").value_or(0) * kib,
         "RLIMIT_DATA");
}

}  // namespace

memory_room look_at_memory(const std::string& root) {
  memory_room least;
  look_at_own_limits(root, least);
  constexpr std::uint64_t kib = 1024;
  const std::string machine = read_file(root + "/proc/meminfo").content;
  if (const std::uint64_t left = texts::named_number(machine, "MemAvailable").value_or(0);
      left != 0)
    take(least, left * kib, 0, "the machine's memory (MemAvailable)");
  const control_groups groups{root};
  const group_files& files = groups.version_of("memory") == 1 ? groups_1 : groups_2;
  for (const control_group& each : groups.levels("memory"))
    look_at_group(each.folder, each.name, files, least);
  return least;
}

}  // namespace gmr::os
