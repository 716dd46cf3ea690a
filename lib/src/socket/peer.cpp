#include "socket/peer.hpp"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <string>

#include "os/file_text.hpp"
#include "os/users.hpp"

namespace gmr::sockets {
namespace {

constexpr uid_t usual_overflow = 65534;

uid_t overflow_user() {
  const os::file_text text = os::read_file("/proc/sys/kernel/overflowuid");
  uid_t user = usual_overflow;
  std::from_chars(text.content.data(), text.content.data() + text.content.size(), user);
  return user;
}

// As in the first namespace: one line that maps 2^32 - 1 users.
bool all_users_are_mapped() {
  const std::string map = os::read_file("/proc/self/uid_map").content;
  std::array<std::uint64_t, 3> numbers{};  // the first one here, there, and how many
  const char* at = map.data();
  const char* const end = at + map.size();
  for (std::uint64_t& each : numbers) {
    while (at != end && *at == ' ')
      ++at;
    at = std::from_chars(at, end, each).ptr;
  }
  return numbers.front() == 0 && numbers.back() == UINT32_MAX;
}

bool acts_for_its_user(const identity& ours) noexcept {
  return ours.is_dumpable && ours.real == ours.effective && ours.effective == ours.saved;
}

std::string user_text(uid_t user) {
  const std::optional<std::string> name = os::user_name(user);
  return name ? "user " + *name : "uid " + std::to_string(user);
}

}  // namespace

std::optional<peer> peer_of(int socket) noexcept {
  ucred told{};
  socklen_t size = sizeof told;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &told, &size) != 0 || size != sizeof told)
    return std::nullopt;
  return peer{.process = told.pid, .user = told.uid};
}

std::string name_of(const peer& who) {
  const std::string process =
      who.process == 0 ? "a process elsewhere" : "pid " + std::to_string(who.process);
  return process + ", " + user_text(who.user);
}

identity own_identity() {
  identity out;
  ::getresuid(&out.real, &out.effective, &out.saved);
  out.is_dumpable = ::prctl(PR_GET_DUMPABLE) == 1;
  out.overflow = overflow_user();
  out.maps_all_users = all_users_are_mapped();
  return out;
}

bool may_ask(uid_t user, const identity& ours) noexcept {
  if (user == ours.overflow && !ours.maps_all_users) return false;
  return user == 0 || (user == ours.effective && acts_for_its_user(ours));
}

std::string who_may_ask(const identity& ours) {
  if (ours.effective == 0 || !acts_for_its_user(ours)) return "only root may ask";
  return "only " + user_text(ours.effective) + " and root may ask";
}

}  // namespace gmr::sockets
