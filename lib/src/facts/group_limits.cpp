#include "facts/group_limits.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <string_view>

#include "os/errors.hpp"
#include "os/file_text.hpp"
#include "text/lines.hpp"

namespace gmr::facts {
namespace {

// Files of one group. What is not there is empty, and no fault: the controller may be off.
class group_reader final {
 public:
  group_reader(const os::control_group& group, unavailable_parts& unavailable)
      : group_(group), unavailable_(unavailable) {}

  [[nodiscard]] std::optional<std::string> read(const std::string& file) {
    os::file_text text = os::read_file(group_.folder + "/" + file);
    if (text.ok()) return std::move(text.content);
    if (text.error == ENOENT) return std::nullopt;
    std::string why = file + ": " + os::error_text(text.error);
    if (std::ranges::find(unavailable_, why) == unavailable_.end())
      unavailable_.push_back(std::move(why));
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::uint64_t> number(const std::string& file) {
    const auto content = read(file);
    return content ? texts::number_in(*content) : std::nullopt;
  }

 private:
  const os::control_group& group_;
  unavailable_parts& unavailable_;
};

constexpr double microseconds = 1e-6;
constexpr double nanoseconds = 1e-9;

// "150000 100000", or "max 100000"
std::optional<double> cpus_of(std::string_view quota_and_period) {
  const auto quota = texts::number_in(texts::take_until(quota_and_period, ' '));
  const auto period = texts::number_in(quota_and_period);
  if (!quota || !period || *period == 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

std::optional<cpu_limit> cpu_of(const os::control_group& group, int version,
                                unavailable_parts& unavailable) {
  group_reader files{group, unavailable};
  const auto stat = files.read("cpu.stat");
  if (!stat) return std::nullopt;
  cpu_limit found;
  found.group = group.name;
  found.periods = texts::named_number(*stat, "nr_periods").value_or(0);
  found.throttled_periods = texts::named_number(*stat, "nr_throttled").value_or(0);
  if (version == 2) {
    found.cpus = cpus_of(files.read("cpu.max").value_or(""));
    found.throttled_seconds =
        static_cast<double>(texts::named_number(*stat, "throttled_usec").value_or(0)) *
        microseconds;
    return found;
  }
  found.cpus = cpus_of(files.read("cpu.cfs_quota_us").value_or("") + " " +
                       files.read("cpu.cfs_period_us").value_or(""));
  found.throttled_seconds =
      static_cast<double>(texts::named_number(*stat, "throttled_time").value_or(0)) * nanoseconds;
  return found;
}

std::optional<std::uint64_t> unless_unlimited(std::optional<std::uint64_t> limit) {
  constexpr std::uint64_t more_than_any = std::uint64_t{1} << 60U;  // version 1 has a number there
  return limit && *limit < more_than_any ? limit : std::nullopt;
}

void add_events(memory_limit& to, std::string_view lines) {
  while (!lines.empty()) {
    std::string_view line = texts::take_line(lines);
    const std::string_view name = texts::take_until(line, ' ');
    if (const auto count = texts::number_in(line)) to.events.emplace_back(name, *count);
  }
}

std::optional<memory_limit> memory_of(const os::control_group& group, int version,
                                      unavailable_parts& unavailable) {
  group_reader files{group, unavailable};
  const bool newer = version == 2;
  const auto used = files.number(newer ? "memory.current" : "memory.usage_in_bytes");
  if (!used) return std::nullopt;
  memory_limit found;
  found.group = group.name;
  found.used = *used;
  found.limit = unless_unlimited(files.number(newer ? "memory.max" : "memory.limit_in_bytes"));
  const std::string stat = files.read("memory.stat").value_or("");
  const std::array<std::string_view, 2> caches{newer ? "inactive_file" : "total_inactive_file",
                                               newer ? "active_file" : "total_active_file"};
  for (const std::string_view each : caches)
    found.file_cache += texts::named_number(stat, each).value_or(0);
  found.file_cache = std::min(found.file_cache, found.used);
  if (newer) {
    found.high = files.number("memory.high");
    add_events(found, files.read("memory.events").value_or(""));
    return found;
  }
  if (const auto failed = files.number("memory.failcnt")) found.events.emplace_back("max", *failed);
  const std::string control = files.read("memory.oom_control").value_or("");
  if (const auto killed = texts::named_number(control, "oom_kill"))
    found.events.emplace_back("oom_kill", *killed);
  return found;
}

std::optional<task_limit> tasks_of(const os::control_group& group, int /*version*/,
                                   unavailable_parts& unavailable) {
  group_reader files{group, unavailable};
  const auto count = files.number("pids.current");
  if (!count) return std::nullopt;
  return task_limit{.group = group.name, .limit = files.number("pids.max"), .count = *count};
}

bool is_tighter(const cpu_limit& one, const cpu_limit& other) {
  return one.cpus && (!other.cpus || *one.cpus < *other.cpus);
}

bool is_tighter(const memory_limit& one, const memory_limit& other) {
  const auto left = [](const memory_limit& of) {
    return static_cast<double>(*of.limit) - static_cast<double>(of.used - of.file_cache);
  };
  return one.limit && (!other.limit || left(one) < left(other));
}

bool is_tighter(const task_limit& one, const task_limit& other) {
  const auto left = [](const task_limit& of) {
    return static_cast<double>(*of.limit) - static_cast<double>(of.count);
  };
  return one.limit && (!other.limit || left(one) < left(other));
}

template <class Limit>
std::optional<Limit> tightest(const os::control_groups& groups, std::string_view controller,
                              unavailable_parts& unavailable,
                              std::optional<Limit> (*read)(const os::control_group&, int,
                                                           unavailable_parts&)) {
  std::optional<Limit> found;
  const int version = groups.version_of(controller);
  for (const os::control_group& group : groups.levels(controller)) {
    std::optional<Limit> here = read(group, version, unavailable);
    if (here && (!found || is_tighter(*here, *found))) found = std::move(here);
  }
  return found;
}

}  // namespace

std::optional<cpu_limit> read_cpu_limit(const os::control_groups& groups,
                                        unavailable_parts& unavailable) {
  return tightest<cpu_limit>(groups, "cpu", unavailable, cpu_of);
}

group_limits read_limits(const os::control_groups& groups, unavailable_parts& unavailable) {
  return {.cpu = read_cpu_limit(groups, unavailable),
          .memory = tightest<memory_limit>(groups, "memory", unavailable, memory_of),
          .tasks = tightest<task_limit>(groups, "pids", unavailable, tasks_of)};
}

}  // namespace gmr::facts
