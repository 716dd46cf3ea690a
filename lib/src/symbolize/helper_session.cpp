#include "symbolize/helper_session.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

#include "symbolize/helper/exit_status.hpp"
#include "symbolize/helper_image.hpp"
#include "symbolize/start_environment.hpp"

namespace gmr::symbolize {
namespace {

using clock = std::chrono::steady_clock;

helper_end meaning_of(int status) {
  using reason = helper_end::reason;
  if (status < 0) return {reason::nonsense, 0};  // it was killed, and how it ended is not known
  if (WIFSIGNALED(status)) return {reason::signal, WTERMSIG(status)};
  const int code = WEXITSTATUS(status);
  if (code == helper_exit::no_memory) return {reason::no_memory, 0};
  if (code == helper_exit::file_changed) return {reason::file_changed, 0};
  return {reason::exited, code};
}

}  // namespace

os::start_failure helper_session::start(std::uint64_t most_memory, const std::string& debug_dirs,
                                        time_point deadline) {
  stop();
  end_ = {};
  answers_ = {};
  os::start_failure failure;
  process_ = os::hidden_process::start(
      {.image = helper_image(),
       .arguments = {helper_name, std::to_string(most_memory), debug_dirs},
       .environment = environment_of_helper()},
      deadline, failure);
  if (!is_running()) end_ = {helper_end::reason::not_started, failure.error};
  return failure;
}

void helper_session::stop() noexcept {
  process_.stop();
}

void helper_session::finish(helper_end::reason why) {
  if (!is_running()) return;
  // One that has closed its socket is about to end by itself, and says why by its status.
  const int status = why == helper_end::reason::exited ? process_.wait() : process_.stop();
  end_ = why == helper_end::reason::exited ? meaning_of(status) : helper_end{why, 0};
}

bool helper_session::wait_for(short event, time_point deadline) {
  const auto rest = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now()).count();
  if (rest <= 0) return false;
  constexpr std::int64_t longest = 1000;
  pollfd waiting{process_.socket(), event, 0};
  if (waiting.fd < 0) {
    finish(helper_end::reason::nonsense);
    return true;
  }
  ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(rest, longest)));
  return true;
}

bool helper_session::say(std::string_view order, time_point deadline) {
  while (is_running() && !order.empty()) {
    const ssize_t sent = ::send(process_.socket(), order.data(), order.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      order.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!wait_for(POLLOUT, deadline)) finish(helper_end::reason::out_of_time);
    } else if (errno != EINTR) {
      finish(helper_end::reason::exited);
    }
  }
  return is_running();
}

std::optional<message> helper_session::listen(time_point deadline) {
  std::array<char, 16 * 1024> bytes;
  while (is_running()) {
    if (const auto next = answers_.next()) return next;
    if (answers_.is_broken()) {
      finish(helper_end::reason::nonsense);
      break;
    }
    const ssize_t got = ::recv(process_.socket(), bytes.data(), bytes.size(), 0);
    if (got > 0) {
      answers_.add({bytes.data(), static_cast<std::size_t>(got)});
    } else if (got < 0 && errno == EAGAIN) {
      if (!wait_for(POLLIN, deadline)) finish(helper_end::reason::out_of_time);
    } else if (got == 0 || errno != EINTR) {
      finish(helper_end::reason::exited);
    }
  }
  return std::nullopt;
}

}  // namespace gmr::symbolize
