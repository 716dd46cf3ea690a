// A report with the threads of this process as they are now: no stacks, but what they wait for.
#pragma once

#include "../capture/test_threads.hpp"
#include "analyse/threads.hpp"
#include "gmr/model/report.hpp"
#include "os/task_files.hpp"

namespace gmr::analyse::testing {

using capture::testing::test_thread;
using capture::testing::wait_until;

inline std::optional<wait_info> wait_of_thread(pid_t id) {
  capture::thread_snapshot snapshot;
  snapshot.id = id;
  snapshot.syscall = os::task_files{}.blocked_in(id);
  socket_list sockets;
  return wait_of(snapshot, sockets);
}

inline report report_now() {
  report made;
  os::task_files files;
  for (const pid_t id : files.list()) {
    thread_info& thread = made.threads.emplace_back();
    thread.id = id;
    if (const auto status = files.status(id)) thread.name = status->name;
    thread.is_reporter = id == gettid();
    if (!thread.is_reporter) thread.waits_for = wait_of_thread(id);
  }
  return made;
}

inline void wait_for_kind(pid_t id, wait_kind kind) {
  wait_until([&] {
    const auto wait = wait_of_thread(id);
    return wait && wait->kind == kind;
  });
}

}  // namespace gmr::analyse::testing
