#include "analyse/suspended_locks.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "analyse/finding_text.hpp"
#include "analyse/futex_wait.hpp"
#include "text/hex.hpp"

namespace gmr::analyse {
namespace {

bool waits_for(const thread_info& thread, const lock_suspects& lock) {
  return thread.waits_for && thread.waits_for->address == lock.address &&
         thread.waits_for->owner == lock.owner;
}

// The functions in which Asio and Boost.Fiber wait for something to do. A thread that waits in a
// handler of the service's waits elsewhere, synchronous operations of Asio included.
bool is_event_loop(const frame& at) {
  constexpr std::array<std::string_view, 6> loops{
      "asio::detail::epoll_reactor::run",     "asio::detail::scheduler::",
      "asio::detail::posix_event::",          "asio::detail::conditionally_enabled_event::",
      "asio::detail::io_uring_service::run(", "boost::fibers::"};
  return std::any_of(loops.begin(), loops.end(), [&](std::string_view loop) {
    return at.function_full.find(loop) != std::string::npos;
  });
}

bool is_idle(const thread_info& thread) {
  if (!thread.waits_for) return false;
  const auto& frames = thread.stack.frames;
  const auto at = std::find_if(frames.begin(), frames.end(),
                               [](const frame* each) { return !is_c_library(*each); });
  if (at != frames.end() && is_event_loop(**at)) return true;
  return thread.waits_for->kind == wait_kind::epoll && !thread.runs;
}

std::string list_of(const std::vector<std::uint64_t>& ids, std::uint64_t count) {
  constexpr std::size_t shown = 10;
  std::string text;
  for (std::size_t i = 0; i < std::min(ids.size(), shown); ++i)
    text += (i > 0 ? ", " : "") + std::to_string(ids[i]);
  if (count > shown) text += " and " + std::to_string(count - shown) + " more";
  return text;
}

std::string describe_suspects(const lock_suspects& lock) {
  const std::size_t referring = lock.referring.size();
  if (referring == 1)
    return "green thread " + list_of(lock.referring, 1) + ", suspended" + lock.place +
           ", last ran there and refers to it";
  if (referring > 1)
    return "of the green threads that last ran there these refer to it: " +
           list_of(lock.referring, referring) + "; the first is suspended" + lock.place;
  const std::string last_ran = lock.count == 1 ? "the green thread that last ran there ("
                                               : "one of the green threads that last ran there (";
  return "none of the green threads that last ran there refers to it: plain code of the thread may "
         "hold it, or " +
         last_ran + list_of(lock.ids, lock.count) + ")";
}

finding describe(const lock_suspects& lock, const thread_info& holder,
                 const std::vector<const thread_info*>& waiting, bool self) {
  finding found;
  found.kind = finding_kind::lock_across_suspension;
  found.text = "Lock held across a suspension: mutex " + texts::hex(lock.address) + " is held by " +
               name_of(holder) +
               (self ? ", which waits for it itself" : ", which is idle in its event loop");
  found.threads.push_back(holder.id);
  found.stacks = 1;
  std::string others;
  for (const thread_info* each : waiting) {
    if (each->id == holder.id) continue;
    others += (others.empty() ? "; waited for by " : ", ") + name_of(*each);
    found.threads.push_back(each->id);
  }
  found.text += others + "; " + describe_suspects(lock);
  found.green_threads = lock.referring;  // nobody is accused for having been there
  return found;
}

}  // namespace

std::vector<finding> find_suspended_locks(const std::map<pid_t, const thread_info*>& all,
                                          std::span<const lock_suspects> suspects) {
  std::vector<finding> found;
  for (const lock_suspects& lock : suspects) {
    const auto holder = all.find(lock.owner);
    if (holder == all.end()) continue;
    std::vector<const thread_info*> waiting;
    for (const auto& [id, thread] : all)
      if (waits_for(*thread, lock)) waiting.push_back(thread);
    const bool self = waits_for(*holder->second, lock);
    // Who waits for a lock of its own may have taken it in the same function: no suspension then.
    const bool suspended = self ? !lock.referring.empty() : is_idle(*holder->second);
    if (waiting.empty() || !suspended || mutex_owner(lock.address) != lock.owner) continue;
    found.push_back(describe(lock, *holder->second, waiting, self));
  }
  return found;
}

}  // namespace gmr::analyse
