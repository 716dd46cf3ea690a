#include "os/control_groups.hpp"

#include <array>
#include <cstddef>
#include <optional>

#include "os/file_text.hpp"
#include "text/lines.hpp"

namespace gmr::os {
namespace {

constexpr std::size_t most_levels = 32;
constexpr std::size_t longest_mounts = 1 << 20;

bool has_word(std::string_view words, std::string_view word) {
  while (!words.empty())
    if (texts::take_until(words, ',') == word) return true;
  return false;
}

struct membership {
  std::string_view controllers;  // none: version 2
  std::string_view group;
};

// "4:memory:/group" or "0::/group"
membership parse_membership(std::string_view line) {
  static_cast<void>(texts::take_until(line, ':'));
  const std::string_view controllers = texts::take_until(line, ':');
  return {controllers, line};
}

// Of the hierarchy with that controller of version 1; without one, of version 2.
std::optional<std::string_view> group_in(std::string_view memberships,
                                         std::string_view controller) {
  while (!memberships.empty()) {
    const membership each = parse_membership(texts::take_line(memberships));
    const bool wanted =
        controller.empty() ? each.controllers.empty() : has_word(each.controllers, controller);
    if (wanted && each.group.starts_with('/')) return each.group;
  }
  return std::nullopt;
}

struct group_mount {
  std::string_view place;
  std::string_view top;  // the group that is seen there
};

// "35 31 0:32 /top /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory", where it is of that
// controller, or of version 2.
std::optional<group_mount> parse_mount(std::string_view line, std::string_view controller) {
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
  const bool wanted =
      controller.empty() ? kind == "cgroup2" : kind == "cgroup" && has_word(line, controller);
  return wanted ? std::optional{found} : std::nullopt;
}

// Whether it is that group, or one of those below it.
bool is_within(std::string_view group, std::string_view top) noexcept {
  return group.starts_with(top) && (group.size() == top.size() || group[top.size()] == '/');
}

std::vector<control_group> levels_below(const std::string& root, const group_mount& mount,
                                        std::string_view own) {
  std::vector<control_group> found;
  // A container may see its own group as the top, and still be told its whole name.
  const std::string top{mount.top == "/" ? std::string_view{} : mount.top};
  std::string group{is_within(own, top) ? own.substr(top.size()) : own};
  while (found.size() < most_levels) {
    if (group == "/") group.clear();
    const std::string name = top + group;
    std::string directory = root;
    directory.append(mount.place).append(group);
    found.push_back({name.empty() ? "/" : name, std::move(directory)});
    const std::size_t parent = group.find_last_of('/');
    if (parent == std::string::npos) break;
    group.erase(parent);
  }
  return found;
}

}  // namespace

control_groups::control_groups(const std::string& root) : root_(root) {
  file_text memberships = read_file(root + "/proc/self/cgroup");
  file_text mounts = read_file(root + "/proc/self/mountinfo", longest_mounts);
  error_ = memberships.error != 0 ? memberships.error : mounts.error;
  memberships_ = std::move(memberships.content);
  mounts_ = std::move(mounts.content);
}

int control_groups::version_of(std::string_view controller) const {
  return group_in(memberships_, controller) ? 1 : 2;
}

// A hierarchy may be mounted in several places, with different tops.
std::vector<control_group> control_groups::levels(std::string_view controller) const {
  auto own = group_in(memberships_, controller);
  if (!own) {
    controller = {};
    own = group_in(memberships_, controller);
  }
  if (!own) return {};
  std::optional<group_mount> best;
  for (std::string_view rest = mounts_; !rest.empty();) {
    const auto mount = parse_mount(texts::take_line(rest), controller);
    if (!mount) continue;
    const bool fits = mount->top == "/" || is_within(*own, mount->top);
    if (!best || fits) best = mount;
    if (fits) break;
  }
  return best ? levels_below(root_, *best, *own) : std::vector<control_group>{};
}

std::string control_groups::name() const {
  constexpr std::array<std::string_view, 5> hierarchies{"", "name=systemd", "memory", "cpu",
                                                        "pids"};
  std::string_view found;
  for (const std::string_view each : hierarchies) {
    const auto group = group_in(memberships_, each);
    if (group && (found.empty() || found == "/")) found = *group;
  }
  return std::string{found};
}

}  // namespace gmr::os
