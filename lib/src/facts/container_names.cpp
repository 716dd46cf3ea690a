#include "facts/container_names.hpp"

#include <algorithm>
#include <cstddef>

#include "text/lines.hpp"

namespace gmr::facts {
namespace {

constexpr std::size_t id_digits = 64;
constexpr std::string_view scope = ".scope";
constexpr std::string_view slice = ".slice";

bool is_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_container_id(std::string_view text) {
  return text.size() == id_digits && is_hex(text);
}

// "8d5c9cb2-0e4d-4f5a-9f6e-2f3b5e0c7a11", or the same with low lines.
bool is_uid(std::string_view text) {
  constexpr std::size_t size = 36;
  return text.size() == size &&
         std::ranges::all_of(text, [](char c) { return c == '-' || c == '_' || is_hex({&c, 1}); });
}

// "docker-ID.scope", "cri-containerd-ID.scope", "libpod-ID", or the ID alone, below a group that is
// called after the runtime: "docker/ID", "kubepods/.../podUID/ID".
void look_for_id(container_names& found, std::string_view part, std::string_view above) {
  if (part.ends_with(scope)) part.remove_suffix(scope.size());
  if (part.size() < id_digits || !is_container_id(part.substr(part.size() - id_digits))) return;
  found.id = part.substr(part.size() - id_digits);
  part.remove_suffix(id_digits);
  if (part.ends_with('-'))
    found.runtime = part.substr(0, part.size() - 1);
  else if (above == "docker" || above == "lxc" || above == "podman")
    found.runtime = above;
}

// "kubepods-burstable-podUID.slice" or "podUID"
void look_for_pod(container_names& found, std::string_view part) {
  constexpr std::string_view mark = "pod";
  if (part.ends_with(slice)) part.remove_suffix(slice.size());
  const std::size_t at = part.rfind(mark);
  if (at == std::string_view::npos || !is_uid(part.substr(at + mark.size()))) return;
  found.pod = part.substr(at + mark.size());
  std::ranges::replace(found.pod, '_', '-');
}

// Of "lxc.payload.NAME"; "lxc/NAME" is what others than containers may be called, too.
void look_for_lxc(container_names& found, std::string_view part) {
  constexpr std::string_view mark = "lxc.payload.";
  if (!part.starts_with(mark)) return;
  found.runtime = "lxc";
  found.id = part.substr(mark.size());
}

void look_at_group_name(container_names& found, std::string_view group) {
  std::string_view above;
  while (!group.empty()) {
    const std::string_view part = texts::take_until(group, '/');
    if (part.empty()) continue;
    if (part.ends_with(".service") || part.ends_with(scope)) found.unit = part;
    look_for_pod(found, part);
    look_for_id(found, part, above);
    look_for_lxc(found, part);
    above = part;
  }
}

// The text behind `mark`, up to the next slash.
std::string_view part_behind(std::string_view path, std::string_view mark) {
  const std::size_t at = path.find(mark);
  if (at == std::string_view::npos) return {};
  path.remove_prefix(at + mark.size());
  return path.substr(0, path.find('/'));
}

// Runtimes mount a few files of their own over those of the image:
// "... /var/lib/docker/containers/ID/hostname /etc/hostname ..." and
// "... /var/lib/kubelet/pods/UID/etc-hosts /etc/hosts ...".
void look_at_mounts(container_names& found, std::string_view mounts) {
  while (!mounts.empty()) {
    std::string_view line = texts::take_line(mounts);
    for (int skipped = 0; skipped < 3; ++skipped)
      static_cast<void>(texts::take_until(line, ' '));
    const std::string_view source = texts::take_until(line, ' ');
    const std::string_view place = texts::take_until(line, ' ');
    if (place != "/etc/hostname" && place != "/etc/hosts") continue;
    const std::string_view id = part_behind(source, "/docker/containers/");
    if (found.id.empty() && is_container_id(id)) {
      found.id = id;
      found.runtime = "docker";
    }
    const std::string_view pod = part_behind(source, "/kubelet/pods/");
    if (found.pod.empty() && is_uid(pod)) found.pod = pod;
  }
}

}  // namespace

container_names find_container(std::string_view group, std::string_view mounts) {
  container_names found;
  look_at_group_name(found, group);
  look_at_mounts(found, mounts);
  return found;
}

}  // namespace gmr::facts
