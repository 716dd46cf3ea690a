// Which control groups this process is in, and where their files are. Of both versions; a system
// may have some controllers in one and some in the other.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gmr::os {

struct control_group {
  std::string name;    // "/system.slice/orders.service"; "/" for the top
  std::string folder;  // of its files
};

// Read once, from /proc/self/cgroup and /proc/self/mountinfo below `root`. Not synchronised.
class control_groups final {
 public:
  explicit control_groups(const std::string& root = {});

  // Why they are not known: an errno, or 0.
  [[nodiscard]] int error() const noexcept { return error_; }

  // The version that has this controller ("memory", "cpu", "pids"): 1 or 2.
  [[nodiscard]] int version_of(std::string_view controller) const;

  // The process's own group in the hierarchy of that controller, then those above it, as far as
  // they can be seen from here. None where the hierarchy is not mounted.
  [[nodiscard]] std::vector<control_group> levels(std::string_view controller) const;

  // What the process's group is called: in the hierarchy that service managers use, or, where that
  // has only its top, in another. Empty when not known.
  [[nodiscard]] std::string name() const;

  // /proc/self/mountinfo.
  [[nodiscard]] std::string_view mounts() const noexcept { return mounts_; }

 private:
  std::string root_;
  std::string memberships_;
  std::string mounts_;
  int error_ = 0;
};

}  // namespace gmr::os
