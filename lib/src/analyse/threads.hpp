// Conclusions about OS threads: what they wait for, and findings.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "analyse/lock_suspects.hpp"
#include "analyse/socket_list.hpp"
#include "capture/snapshot.hpp"
#include "gmr/model/report.hpp"

namespace gmr::analyse {

// What is to be said of the thread beside its stack and its wait.
[[nodiscard]] thread_info describe(const capture::thread_snapshot& thread);

// What the thread waits for, decoded from its blocked system call; nothing when it is not blocked.
// Reads the memory that the call points to, safely. Resolves no names. The kinds: mutex, timed
// mutex, condition, semaphore, join, futex, sleep, poll, select, epoll, io_uring, read, write,
// receive, send, accept, connect, sync, file lock, ioctl, child process, signal, message queue,
// semaphore set, vfork, system call N.
[[nodiscard]] std::optional<wait_info> wait_of(const capture::thread_snapshot& thread,
                                               socket_list& sockets);

// Corrects what a blocked system call told by what the stack of the thread tells, once that is
// named: `asio mutex`, whose owner nobody knows.
void name_wait(thread_info& thread);

// Findings about the threads of a report of this process, the gravest first: `deadlock` (each
// circle once, looked at again now, so that a lock held by a thread that goes on is none),
// `lock_across_suspension`, `convoy`, `spinning_thread`. `captured`: what the report was made of,
// for where the calls of threads can't be read again.
[[nodiscard]] std::vector<finding> findings_of(
    const report& complete, std::span<const lock_suspects> suspects = {},
    std::span<const capture::thread_snapshot> captured = {});

}  // namespace gmr::analyse
