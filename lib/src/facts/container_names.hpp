// What service managers and container runtimes put into the names of control groups.
#pragma once

#include <string>
#include <string_view>

namespace gmr::facts {

// Each is empty where nothing tells it.
struct container_names {
  std::string unit;     // of systemd: "orders.service", "docker-4f1c....scope"
  std::string runtime;  // "docker", "cri-containerd", "crio", "libpod", "lxc"
  std::string id;       // of the container
  std::string pod;      // its UID in Kubernetes
};

// `group`: what the process's group is called. `mounts`: /proc/self/mountinfo, for a container that
// sees its own group as the top. What they do not say is not guessed.
[[nodiscard]] container_names find_container(std::string_view group, std::string_view mounts);

}  // namespace gmr::facts
