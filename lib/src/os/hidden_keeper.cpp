// Built without sanitizers: two processes run here in one memory.
#include "os/hidden_keeper.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <ctime>

#include "os/arch/machine.hpp"
#include "os/hidden_process.hpp"

namespace gmr::os {
namespace {

using arch::raw_call;

constexpr int null_descriptor = 1;          // and 2
constexpr unsigned allow_execution = 0x10;  // MFD_EXEC, which older headers do not have

template <class T>
long raw(T* pointer) noexcept {
  return reinterpret_cast<long>(pointer);
}

[[noreturn]] void leave() noexcept {
  for (;;)
    raw_call(SYS_exit_group, 0);
}

long failed(keeper_state& state, keeper_step step, long result) noexcept {
  state.error.store(static_cast<int>(-result));
  state.failed.store(step);
  return result;
}

// Kernels before 5.9 have no close_range; more descriptors than this are left to close-on-exec.
void close_from(int first) noexcept {
  constexpr int most = 65536;
  if (raw_call(SYS_close_range, first, UINT_MAX, 0) == 0) return;
  for (int number = first; number < most; ++number)
    raw_call(SYS_close, number);
}

long move_to(int number, int wanted) noexcept {
  if (number == wanted) return raw_call(SYS_fcntl, number, F_SETFD, 0);
  return raw_call(SYS_dup3, number, wanted, 0);
}

long open_path(const char* path, int flags) noexcept {
  return raw_call(SYS_openat, AT_FDCWD, raw(path), flags, 0);
}

// Leaves the program's descriptors and no others. Without a /dev/null there is nothing that the C
// library could say on of a broken heap.
// After chroot there is no /proc but what was opened before.
long arrange_descriptors(const keeper_orders& orders) noexcept {
  const long moved = move_to(orders.socket, hidden_process_socket);
  if (moved < 0) return moved;
  long own = open_path("/proc/self/exe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (own < 0 && orders.own_proc > hidden_process_socket)
    own = raw_call(SYS_openat, orders.own_proc, raw("exe"), O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
  if (own >= 0) own = move_to(static_cast<int>(own), hidden_process_executable);
  raw_call(SYS_close, null_descriptor);
  raw_call(SYS_close, null_descriptor + 1);
  if (own < 0) raw_call(SYS_close, hidden_process_executable);
  close_from(hidden_process_executable + 1);
  const long null = open_path("/dev/null", O_RDWR);
  if (null == null_descriptor) raw_call(SYS_dup3, null, null_descriptor + 1, 0);
  return 0;
}

long make_memory_file() noexcept {
  constexpr const char* name = "gmr-symbols";
  const long made = raw_call(SYS_memfd_create, raw(name), MFD_CLOEXEC | allow_execution);
  return made != -EINVAL ? made : raw_call(SYS_memfd_create, raw(name), MFD_CLOEXEC);
}

long write_all(int file, const std::byte* bytes, std::size_t size) noexcept {
  while (size != 0) {
    const long written = raw_call(SYS_write, file, raw(bytes), static_cast<long>(size));
    if (written == -EINTR) continue;
    if (written <= 0) return written == 0 ? -EIO : written;
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
  return 0;
}

// In the program's process, which has the keeper's stack while the keeper stands still. Where that
// was killed before, nobody waits for the program, and what it is told may be gone.
[[noreturn, gnu::noinline]] void execute(keeper_state& state, int image, long keeper) noexcept {
  raw_call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  if (raw_call(SYS_getppid) != keeper) leave();
  const keeper_orders& orders = state.orders;
  long result = raw_call(SYS_execveat, image, raw(""), raw(orders.arguments),
                         raw(orders.environment), AT_EMPTY_PATH);
  if (result == -ENOSYS || result == -EPERM) {
    char path[] = "/proc/self/fd/00";
    char* const digits = path + sizeof path - 3;
    digits[0] = static_cast<char>('0' + (image < 10 ? image : image / 10));
    digits[1] = image < 10 ? '\0' : static_cast<char>('0' + image % 10);
    result = raw_call(SYS_execve, raw(path), raw(orders.arguments), raw(orders.environment));
  }
  failed(state, keeper_step::execution, result);
  leave();
}

// Its number once it runs; a failure is written down.
long start_program(keeper_state& state) noexcept {
  const long arranged = arrange_descriptors(state.orders);
  if (arranged < 0) return failed(state, keeper_step::descriptors, arranged);
  const long image = make_memory_file();
  if (image < 0) return failed(state, keeper_step::memory_file, image);
  const long written =
      write_all(static_cast<int>(image), state.orders.image, state.orders.image_size);
  if (written < 0) return failed(state, keeper_step::writing, written);
  const long keeper = raw_call(SYS_getpid);
  const long program = raw_call(SYS_clone, CLONE_VM | CLONE_VFORK, 0, 0, 0, 0);
  if (program == 0) execute(state, static_cast<int>(image), keeper);
  if (program < 0) return failed(state, keeper_step::process, program);
  return program;
}

// By the call that reaps: only while nobody kills.
int reap_by_wait4(keeper_state& state, long program) noexcept {
  for (;;) {
    int status = 0;
    long result = 0;
    keeper_phase running = keeper_phase::running;
    if (state.phase.compare_exchange_strong(running, keeper_phase::reaping)) {
      result = raw_call(SYS_wait4, program, raw(&status), WNOHANG | __WALL, 0);
      if (result != 0) return result > 0 ? status : -1;
      state.phase.store(keeper_phase::running);
    }
    const timespec little{0, 1'000'000};
    if (raw_call(SYS_nanosleep, raw(&little), 0) < 0) raw_call(SYS_sched_yield);
  }
}

// Until it has ended, without reaping it.
int wait_for(long program) noexcept {
  siginfo_t ended{};
  long result = 0;
  do {
    result = raw_call(SYS_waitid, P_PID, program, raw(&ended), WEXITED | WNOWAIT | __WALL, 0);
  } while (result == -EINTR);
  if (result < 0) return -1;
  return ended.si_code == CLD_EXITED ? (ended.si_status & 0xff) << 8 : ended.si_status & 0x7f;
}

void reap(keeper_state& state, long program) noexcept {
  for (;;) {
    keeper_phase running = keeper_phase::running;
    if (state.phase.compare_exchange_strong(running, keeper_phase::reaping)) break;
    raw_call(SYS_sched_yield);
  }
  raw_call(SYS_waitid, P_PID, program, 0, WEXITED | __WALL, 0);
}

}  // namespace

int keep_program(void* argument) noexcept {
  keeper_state& state = *static_cast<keeper_state*>(argument);
  raw_call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  if (raw_call(SYS_getppid) != state.orders.service) leave();
  raw_call(SYS_prctl, PR_SET_NAME, raw("gmr-symbols"));
  const long program = start_program(state);
  close_from(0);  // the program has its own: at its end the service's socket must see that
  if (program > 0) {
    state.program.store(static_cast<pid_t>(program));
    state.phase.store(keeper_phase::running);
    if (state.orders.by_wait4) {
      state.status.store(reap_by_wait4(state, program));
    } else {
      state.status.store(wait_for(program));
      reap(state, program);
    }
  }
  state.phase.store(keeper_phase::ended);
  leave();
}

}  // namespace gmr::os
