#include "facts/control_group.hpp"

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "facts/container_names.hpp"
#include "os/errors.hpp"
#include "os/file_text.hpp"
#include "text/quantities.hpp"

namespace gmr::facts {
namespace {

value text_or_null(const std::string& text) {
  return text.empty() ? value{} : value{text};
}

// The namespaces that are not those the machine has begun with, which have the same numbers on
// every machine. Null where none can be read.
value own_namespaces(const std::string& root, unavailable_parts& unavailable) {
  struct first {
    const char* name;
    const char* target;
  };
  constexpr std::array known{
      first{"cgroup", "cgroup:[4026531835]"}, first{"ipc", "ipc:[4026531839]"},
      first{"pid", "pid:[4026531836]"},       first{"user", "user:[4026531837]"},
      first{"uts", "uts:[4026531838]"},
  };
  list own;
  for (const first& each : known) {
    const os::file_text target = os::read_link(root + "/proc/self/ns/" + each.name);
    if (target.error == ENOENT) continue;  // this kernel has none of that kind
    if (!target.ok()) {
      unavailable.push_back("own_namespaces: " + os::error_text(target.error));
      return {};
    }
    if (target.content != each.target) own.items.emplace_back(each.name);
  }
  return own;
}

value container_of(const container_names& names) {
  if (names.id.empty() && names.pod.empty()) return {};
  return key_values{}
      .add("runtime", text_or_null(names.runtime))
      .add("id", text_or_null(names.id))
      .add("pod", text_or_null(names.pod));
}

value cpu_section_of(const std::optional<cpu_limit>& cpu) {
  if (!cpu) return {};
  return key_values{}
      .add("group", cpu->group)
      .add("limit_cpus", cpu->cpus)
      .add("periods", cpu->periods)
      .add("throttled_periods", cpu->throttled_periods)
      .add("throttled_seconds", cpu->throttled_seconds);
}

value memory_section_of(const std::optional<memory_limit>& memory) {
  if (!memory) return {};
  key_values events;
  for (const auto& [name, count] : memory->events)
    events.add(name, count);
  return key_values{}
      .add("group", memory->group)
      .add("limit_bytes", memory->limit)
      .add("high_bytes", memory->high)
      .add("used_bytes", memory->used)
      .add("file_cache_bytes", memory->file_cache)
      .add("events", std::move(events));
}

value tasks_section_of(const std::optional<task_limit>& tasks) {
  if (!tasks) return {};
  return key_values{}
      .add("group", tasks->group)
      .add("limit", tasks->limit)
      .add("count", tasks->count);
}

// What only caches files is given back before anybody is refused memory.
std::optional<finding> find_memory_near_limit(const std::optional<memory_limit>& memory) {
  constexpr double near = 0.95;
  if (!memory || !memory->limit) return std::nullopt;
  const auto needed = static_cast<double>(memory->used - memory->file_cache);
  const auto limit = static_cast<double>(*memory->limit);
  if (needed < near * limit) return std::nullopt;
  finding found;
  found.kind = finding_kind::memory_near_limit;
  found.text = "Control group " + memory->group + " uses " + texts::human_bytes(needed) +
               " of the " + texts::human_bytes(limit) +
               " of memory that it may have, without what caches files";
  for (const auto& [name, count] : memory->events)
    if (name == "oom_kill" && count != 0)
      found.text += count == 1 ? "; a process of it has been killed for memory"
                               : "; " + std::to_string(count) +
                                     " processes of it have been killed for memory";
  return found;
}

}  // namespace

control_group_reader::control_group_reader(std::string root) : root_(std::move(root)) {
  unavailable_parts ignored;
  last_ = {
      .when = clock::now(), .report = 0, .cpu = read_cpu_limit(os::control_groups{root_}, ignored)};
}

// Of few periods nothing is concluded.
void control_group_reader::compare(control_group_facts& with, key_values& section,
                                   const sample& now) const {
  constexpr std::uint64_t fewest = 10;
  constexpr double large_part = 0.25;
  if (!now.cpu || !last_.cpu || now.cpu->group != last_.cpu->group ||
      now.cpu->periods < last_.cpu->periods)
    return;
  const double seconds = std::chrono::duration<double>(now.when - last_.when).count();
  const std::uint64_t periods = now.cpu->periods - last_.cpu->periods;
  const std::uint64_t throttled = now.cpu->throttled_periods - last_.cpu->throttled_periods;
  const double held_back = now.cpu->throttled_seconds - last_.cpu->throttled_seconds;
  section.add("cpu_since_last_report", key_values{}
                                           .add("elapsed_seconds", seconds)
                                           .add("periods", periods)
                                           .add("throttled_periods", throttled)
                                           .add("throttled_seconds", held_back));
  if (periods < fewest ||
      static_cast<double>(throttled) < large_part * static_cast<double>(periods))
    return;
  finding& found = with.findings.emplace_back();
  found.kind = finding_kind::cpu_throttled;
  found.text = "Control group " + now.cpu->group;
  if (now.cpu->cpus)
    found.text += ", which may use " + texts::significant(*now.cpu->cpus, 3) + " CPUs,";
  found.text +=
      " was throttled in " + std::to_string(throttled) + " of " + std::to_string(periods) +
      " periods since " +
      (last_.report == 0 ? "the reporter was made" : "report " + std::to_string(last_.report)) +
      ", " + texts::human_duration(seconds) + " ago, for " + texts::human_duration(held_back) +
      " in all";
}

control_group_facts control_group_reader::read(std::uint64_t number) {
  control_group_facts out;
  unavailable_parts unavailable;
  const os::control_groups groups{root_};
  if (groups.error() != 0) unavailable.push_back("groups: " + os::error_text(groups.error()));
  const std::string name = groups.name();
  const container_names names = find_container(name, groups.mounts());
  const group_limits limits = read_limits(groups, unavailable);
  key_values section;
  section.add("name", text_or_null(name))
      .add("unit", text_or_null(names.unit))
      .add("container", container_of(names))
      .add("own_namespaces", own_namespaces(root_, unavailable))
      .add("cpu", cpu_section_of(limits.cpu));
  sample now{.when = clock::now(), .report = number, .cpu = limits.cpu};
  compare(out, section, now);
  last_ = now;
  section.add("memory", memory_section_of(limits.memory))
      .add("tasks", tasks_section_of(limits.tasks));
  add_pressure(section, groups, root_, unavailable);
  if (!unavailable.empty()) section.add("unavailable", unavailable);
  if (auto found = find_memory_near_limit(limits.memory)) out.findings.push_back(std::move(*found));
  out.section = std::move(section);
  return out;
}

}  // namespace gmr::facts
