// The program that reads debug information for a service: libdw exits when it is refused memory,
// aborts when its tables are full and has files mapped that others may cut off. All that may happen
// here. It reads orders from its socket and answers them; it ends when there are no more.
//
// Arguments: its name, the most bytes of memory of its own, and the directories of separate debug
// files.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include "os/files.hpp"
#include "os/hidden_process.hpp"
#include "symbolize/helper/debug_information.hpp"
#include "symbolize/helper/exit_status.hpp"
#include "symbolize/helper/name_timer.hpp"
#include "symbolize/names.hpp"
#include "symbolize/wire.hpp"

namespace gmr::symbolize {
namespace {

constexpr int socket_number = os::hidden_process_socket;

void say(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_number, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) ::_exit(helper_exit::nobody_listens);
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

class speaker final : public answer_sink {
 public:
  void say(const reading_answer& answer) override { symbolize::say(to_message(answer)); }
  void say(const found_answer& answer) override { symbolize::say(to_message(answer)); }
  void say(const opened_answer& answer) override { symbolize::say(to_message(answer)); }
};

class helper final {
 public:
  explicit helper(const char* debug_dirs) : debug_dirs_(debug_dirs) {}

  // False: that was no order.
  bool obey(const message& order) {
    switch (order.kind) {
      case message_kind::open:
        return open_module(order.content);
      case message_kind::locate:
        return locate(order.content);
      case message_kind::demangle:
        return demangle_all(order.content);
      default:
        return false;
    }
  }

 private:
  bool open_module(std::string_view content) {
    open_order order;
    if (!parse(content, order)) return false;
    module_.reset();  // first: there may be no room for two
    module_ = std::make_unique<debug_information>(order, debug_dirs_);
    symbolize::say(to_message(module_->state()));
    return true;
  }

  bool locate(std::string_view content) {
    locate_order order;
    if (!module_ || !parse(content, order)) return false;
    speaker to;
    module_->locate(order, to);
    symbolize::say(finished_message());
    return true;
  }

  static bool demangle_all(std::string_view content) {
    demangle_order order;
    if (!parse(content, order)) return false;
    for (std::size_t i = 0; i < order.symbols.size(); ++i) {
      found_answer answer;
      answer.index = i;
      answer.places.push_back({.function = demangle(order.symbols[i]), .file = {}});
      symbolize::say(to_message(answer));
    }
    symbolize::say(finished_message());
    return true;
  }

  const std::string debug_dirs_;
  std::unique_ptr<debug_information> module_;
};

void limit(__rlimit_resource which, rlim_t most) {
  rlimit now{};
  ::getrlimit(which, &now);
  now.rlim_max = std::min(now.rlim_max, most);
  now.rlim_cur = now.rlim_max;
  ::setrlimit(which, &now);
}

// The service may have set lower ones for itself than it must; what there was room for was looked
// at before this was started.
void set_limits(rlim_t most_memory) {
  constexpr rlim_t most_seconds = 60;
  constexpr rlim_t stack = 8U << 20;
  limit(RLIMIT_DATA, most_memory);
  limit(RLIMIT_AS, RLIM_INFINITY);
  limit(RLIMIT_NOFILE, RLIM_INFINITY);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, most_seconds);
  limit(RLIMIT_STACK, stack);
}

// Of all that share a control group's memory this goes first.
void volunteer() {
  const int file = os::open_file(AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY);
  if (file < 0) return;
  static_cast<void>(!::write(file, "1000", 4));
  os::close_file(file);
}

void set_signals() {
  prepare_name_timer();
  sigset_t open;
  ::sigfillset(&open);
  for (const int each : {SIGALRM, SIGXCPU, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
    ::sigdelset(&open, each);
  struct sigaction by_default{};
  by_default.sa_handler = SIG_DFL;
  for (const int each : {SIGXCPU, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
    ::sigaction(each, &by_default, nullptr);
  ::pthread_sigmask(SIG_SETMASK, &open, nullptr);
}

int run(const char* debug_dirs) {
  helper made{debug_dirs};
  message_splitter orders;
  std::array<char, 16 * 1024> bytes;
  for (;;) {
    while (const auto order = orders.next()) {
      if (!made.obey(*order)) return helper_exit::wrong_order;
    }
    if (orders.is_broken()) return helper_exit::wrong_order;
    const ssize_t got = ::recv(socket_number, bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return 0;
    orders.add({bytes.data(), static_cast<std::size_t>(got)});
  }
}

}  // namespace
}  // namespace gmr::symbolize

int main(int count, char** arguments) {
  using namespace gmr::symbolize;
  ::prctl(PR_SET_NAME, "gmr-symbols");
  rlim_t most_memory = 0;
  const char* const text = count == 3 ? arguments[1] : "";
  std::from_chars(text, text + std::strlen(text), most_memory);
  if (most_memory == 0) return helper_exit::wrong_order;
  volunteer();
  set_limits(most_memory);
  set_signals();
  ::prctl(PR_SET_DUMPABLE, 0);  // nothing of it is worth a core file
  try {
    // What belongs to it is not worth the time to give back.
    ::_exit(run(arguments[2]));
  } catch (const file_has_changed&) {
    return helper_exit::file_changed;
  } catch (const std::exception&) {
    return helper_exit::exception;
  }
}
