// Files that the library opens: this is the only place that does. That a process has no descriptor
// left may be what a report is asked for: some are kept for that time.
//
// All functions are safe to call from any thread; none is async-signal-safe.
#pragma once

#include <dirent.h>
#include <sys/types.h>

namespace gmr::os {

// Takes what is missing of the spare descriptors, if there is any left. They stay open as long as
// the process.
void keep_spare_descriptors() noexcept;

// Files that stay open leave some of the spare ones to those that are read at once.
enum class open_time { brief, lasting };

// As openat(2) with O_CLOEXEC; where there is no descriptor left, with a spare one. -1 and errno
// when it fails. `mode` is that of a file which is made.
[[nodiscard]] int open_file(int directory, const char* path, int flags,
                            open_time time = open_time::brief, mode_t mode = 0) noexcept;

// Two ends of a local stream, the first of which never blocks; where descriptors are short, with
// spare ones. Returns 0 or an errno.
[[nodiscard]] int open_sockets(int (&ends)[2]) noexcept;

// A client that waits at a listening socket, as a descriptor that never blocks; where there is none
// left, with a spare one. -1 and errno when it fails, EAGAIN when nobody waits.
[[nodiscard]] int accept_client(int listening) noexcept;

// As close(2); a spare one that was used is kept again. Returns 0 or an errno.
int close_file(int descriptor) noexcept;

// Owns an open file. The program may close descriptors that it does not know, and have the number
// for something else: the number is used and closed only while it is still the same file, by device
// and inode. Not synchronised.
class descriptor final {
 public:
  descriptor() = default;
  explicit descriptor(int number) noexcept;  // below 0: none
  ~descriptor() { close(); }
  descriptor(descriptor&& other) noexcept { swap(other); }
  descriptor& operator=(descriptor&& other) noexcept {
    swap(other);
    return *this;
  }

  // Whether it was opened; the number may have become another file since.
  [[nodiscard]] bool is_open() const noexcept { return number_ >= 0; }
  // The number while it is ours, otherwise -1. Costs a system call.
  [[nodiscard]] int number() const noexcept;
  // The number whoever has it, for reading only: what is found there must be checked.
  [[nodiscard]] int number_unchecked() const noexcept { return number_; }
  // Returns 0 or an errno: some file systems tell only now that a disk is full. EBADF when the
  // number is not ours any more.
  int close() noexcept;

 private:
  void swap(descriptor& other) noexcept;

  int number_ = -1;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// The names in a directory, one after the other, without "." and "..". Allocates. Not synchronised.
class directory_names final {
 public:
  // `path` is relative to `directory`, as openat(2) has it.
  directory_names(int directory, const char* path);
  ~directory_names();
  directory_names(const directory_names&) = delete;
  directory_names& operator=(const directory_names&) = delete;

  // Null at the end, or where it can't be read: see error(). Valid until the next call.
  [[nodiscard]] const char* next() noexcept;
  // An errno, or 0.
  [[nodiscard]] int error() const noexcept { return error_; }

 private:
  DIR* listing_ = nullptr;
  int error_ = 0;
};

}  // namespace gmr::os
