// Who asks, and who may.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace gmr::sockets {

struct peer {
  pid_t process = 0;  // 0: it is in a PID namespace that this process can't see
  uid_t user = 0;
};

// By what the kernel noted when it connected; nothing where it does not say.
[[nodiscard]] std::optional<peer> peer_of(int socket) noexcept;

// "pid 71, user orders"
[[nodiscard]] std::string name_of(const peer& who);

// What decides who may ask.
struct identity {
  uid_t real = 0;
  uid_t effective = 0;
  uid_t saved = 0;
  bool is_dumpable = false;
  uid_t overflow = 0;  // the user that stands for those who are not mapped in our namespace
  bool maps_all_users = false;
};

// Of this process, now: it may give up rights while it runs.
[[nodiscard]] identity own_identity();

// Root may, and the user of the process, unless that has or had rights that the user does not have:
// its real, effective and saved user differ, or it is not dumpable. A user that is not mapped is
// nobody that could be known.
[[nodiscard]] bool may_ask(uid_t user, const identity& ours) noexcept;

// "only user orders and root may ask"
[[nodiscard]] std::string who_may_ask(const identity& ours);

}  // namespace gmr::sockets
