// OS threads and green threads as a report shows them.
#pragma once

#include "gmr/detail/language.hpp"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmr/model/stack.hpp"

namespace gmr {

// How the attempt to get a thread's stack ended.
enum class capture_outcome {
  ok,
  truncated,       // the stack is larger than stack_bytes; its middle or outer part is missing
  exited,          // the thread ended meanwhile
  signal_blocked,  // the thread blocks the capture signal
  timeout,         // the thread did not answer in time
  unreadable,      // /proc or memory could not be read
  not_signalled,   // deliberately left alone; thread_info::note says why
};
[[nodiscard]] std::string_view to_string(capture_outcome outcome) noexcept;

// The kinds of waits. Those of threads are told by the system call that a thread is blocked in and
// by what it has in memory. Green threads wait for operations, which are as many as their
// schedulers have names for.
enum class wait_kind : std::uint8_t {
  mutex,        // a pthread_mutex_t, std::mutex
  timed_mutex,  // the same with a time limit
  asio_mutex,   // a mutex of Asio's own, whose owner nobody knows
  rwlock,
  condition,
  semaphore,
  join,   // the end of another thread
  futex,  // a word of memory that is none of the above
  sleep,
  poll,
  select,
  epoll,
  io_uring,
  read,
  write,
  receive,
  send,
  accept,
  connect,
  sync,  // fsync and the like
  file_lock,
  ioctl,
  child_process,
  signal,
  message_queue,
  semaphore_set,
  vfork,
  system_call,  // any other; wait_info::name says which
  operation,    // what a green thread waits for; wait_info::name has its scheduler's word for it
};
// The word for the kind: "mutex", "file lock".
[[nodiscard]] std::string_view to_string(wait_kind kind) noexcept;

// What waits in a socket, as `ss` shows it (Recv-Q and Send-Q). What is not known is nothing.
struct socket_queues {
  // Of a connection: what has arrived and was not read; and what the peer has not acknowledged, of
  // a local socket the memory of what it has not read.
  std::optional<std::uint64_t> receive_bytes{};
  std::optional<std::uint64_t> send_bytes{};
  // Of one that listens: connections that were not accepted yet, and how many there may be.
  std::optional<std::uint64_t> connections{};
  std::optional<std::uint64_t> backlog{};
};

// What a thread or green thread waits for, as far as it is known.
struct wait_info {
  wait_kind kind = wait_kind::operation;
  // Of an operation, what its scheduler calls it: "timer", "http read"; of a system call that is no
  // other kind of wait, its number: "system call 219". Empty for all other kinds.
  std::string name{};
  std::optional<std::uint64_t> address{};  // of the lock
  std::optional<pid_t> owner{};            // tid of who holds it
  std::optional<int> fd{};
  std::string peer{};  // what the descriptor is, or the remote address; of a condition, its mutex
  // Of a sleep or timer: how long it still will, below 0 when overdue. How long it has been waiting
  // is not known of anything else.
  std::optional<double> seconds{};
  std::optional<socket_queues> queues{};  // of the descriptor, where it is a socket

  // The name, or else the word for the kind.
  [[nodiscard]] std::string_view word() const noexcept {
    return name.empty() ? to_string(kind) : std::string_view{name};
  }
};

// An asynchronous operation that a green thread waits for; known with gmr::trace_ops.
struct operation_info {
  std::uint64_t green_thread = 0;  // its id
  std::string kind;                // read, accept, timer, ...
  bool ready = false;              // complete: only its handler has not run yet
  std::optional<int> fd;
  std::string peer;               // what the descriptor is, with both addresses of a socket
  std::optional<double> seconds;  // until a timer expires, below 0 when overdue
  std::optional<socket_queues> queues{};
};

// What an execution context of Asio (an io_context, a thread_pool) has to do; known with
// gmr::trace_ops.
struct event_loop_info {
  std::uint64_t address = 0;
  std::uint64_t queued = 0;              // handlers whose turn has not come yet
  std::uint64_t pending = 0;             // operations that are not complete
  std::optional<double> oldest_seconds;  // how long the first of the queued has been waiting
  std::vector<pid_t> threads;            // that run its handlers, or did last
};

// One of a group of operations that no green thread waits for.
struct unowned_operation_info {
  std::optional<int> fd;
  std::string peer;                      // what the descriptor is, with both addresses of a socket
  std::optional<double> since_seconds;   // how long ago it was begun; of a timer that is not known
  std::optional<double> expiry_seconds;  // until a timer expires, below 0 when overdue
  std::optional<socket_queues> queues{};
};

// Operations of one kind and event loop that are under way and that no green thread waits for:
// those of a service in callback style. Known with gmr::trace_ops.
struct operation_group {
  std::uint64_t count = 0;
  std::string kind;              // read, accept, timer, ...
  bool ready = false;            // complete: only their handlers have not run yet
  std::uint64_t event_loop = 0;  // its address, as event_loop_info has it
  std::vector<pid_t> threads;    // that run its handlers, or did last
  std::optional<double> oldest_seconds;
  std::optional<double> newest_seconds;
  std::vector<unowned_operation_info> operations;  // the first begun, at most operations_shown
};
inline constexpr std::size_t operations_shown = 20;

struct cpu_times {
  double user_seconds = 0;
  double system_seconds = 0;
  double waiting_seconds = 0;  // runnable, but not running
  double recent_percent = 0;   // of one CPU, over the time the report took to capture
  // It has used that without waiting for anything: it would have used all of a CPU of its own.
  bool never_paused = false;
};

struct thread_info {
  pid_t id = 0;  // kernel thread id
  std::string name;
  char state =
      '?';  // as in /proc/PID/stat: R running, S sleeping, D disk, T stopped, t traced, Z zombie
  capture_outcome capture = capture_outcome::unreadable;
  std::string note;  // what else is to be said of the capture; may be empty
  std::optional<wait_info> waits_for;
  std::optional<cpu_times> cpu;
  std::optional<std::uint64_t> runs;  // id of the green thread that it runs
  bool is_reporter = false;
  gmr::stack stack;
};

enum class green_thread_kind : std::uint8_t { fiber, coroutine };
enum class green_thread_state : std::uint8_t { running, suspended, ready };
[[nodiscard]] std::string_view to_string(green_thread_kind kind) noexcept;
[[nodiscard]] std::string_view to_string(green_thread_state state) noexcept;

// Memory of a fiber's stack.
struct stack_extent {
  std::uint64_t low = 0;   // lowest address
  std::uint64_t high = 0;  // one past the highest
  // From the highest address down to the lowest page that was ever touched since the memory was
  // mapped, perhaps by an earlier user of it; nothing when it could not be told.
  std::optional<std::uint64_t> high_water_bytes;
};

// One green thread; its stack is an index into green_threads_info::stacks.
struct green_thread_info {
  std::uint64_t id = 0;
  green_thread_kind kind = green_thread_kind::fiber;
  green_thread_state state = green_thread_state::suspended;
  std::optional<double> seconds;  // since it was suspended
  std::uint32_t stack = 0;
  std::string name;
  std::vector<std::pair<std::string, std::string>> labels;
  std::optional<wait_info> waits_for;
  std::vector<operation_info> operations;
  pid_t thread = 0;          // tid that runs it, 0 when none or unknown
  std::uint64_t parent = 0;  // id of the green thread that awaits it or resumed it; 0: none known
  bool long_running = false;
  std::string spawned;                 // "function at file:line"; empty when not known
  std::optional<stack_extent> extent;  // of a fiber
};

// Which green thread awaits or has resumed another one.
struct green_thread_parent {
  std::uint64_t id = 0;
  std::uint64_t parent = 0;

  friend bool operator==(const green_thread_parent&, const green_thread_parent&) = default;
};

// Green threads of one kind and state with the same stack.
struct green_thread_group {
  std::uint64_t count = 0;
  green_thread_kind kind = green_thread_kind::fiber;
  green_thread_state state = green_thread_state::suspended;
  std::uint32_t stack = 0;
  std::vector<std::uint64_t> ids;  // at most as many as `ids_shown`; the text says how many more
  std::vector<std::string> names;  // distinct, not empty
  std::map<std::string, std::vector<std::string>> labels;  // distinct texts by key
  std::vector<std::uint64_t> parents;                      // distinct, in order, as many as ids
  std::vector<green_thread_parent> parent_of;  // in order of the ids: those of them that have one
  std::uint64_t with_parent = 0;               // how many of `count` have one
  std::vector<pid_t> threads;                  // that run them, as many as ids
  bool long_running = false;                   // expected to wait long
  std::vector<std::string> spawned;            // distinct places, as green_thread_info has them
  // Of fibers: the largest stack, and the highest high-water mark among the first ones.
  std::optional<std::uint64_t> stack_bytes;
  std::optional<std::uint64_t> high_water_bytes;
  std::optional<double> oldest_seconds;
  std::uint64_t oldest_id = 0;  // which one that is, among `ids`; 0 when not known
  std::optional<double> newest_seconds;
  std::optional<wait_info> waits_for;
  std::vector<operation_info> operations;  // of the first ones
};

struct green_threads_info {
  std::uint64_t count = 0;
  std::vector<stack> stacks;                 // each different stack once
  std::vector<green_thread_group> groups;    // in the order asked for
  std::vector<green_thread_info> listed;     // filled only with list = each
  std::vector<event_loop_info> event_loops;  // the longest delay first
  std::vector<std::string> notes;            // limits that were applied, schedulers that failed
};

}  // namespace gmr
