// What ThreadSanitizer has to be told where the program is built with it and this library is not.
// It then sees what the library's threads write by functions that it has versions of its own of,
// memcpy among them, and by inline functions that the linker took from the program, but none of the
// atomics by which that is handed to the program's threads: it takes it for a race. Without it, all
// this costs a look at a pointer; where the library is built with it as well, nothing.
#pragma once

namespace gmr::os {

// By the thread that hands values over: all that it has written so far is theirs who call
// `take_over` later.
void hand_over() noexcept;
// By the thread that has received values.
void take_over() noexcept;

// As long as it lives, what the calling thread writes is no race: for what is written while it is
// handed over. Not to be kept across other threads' work.
class unwatched_writes final {
 public:
  unwatched_writes() noexcept;
  ~unwatched_writes();
  unwatched_writes(const unwatched_writes&) = delete;
  unwatched_writes& operator=(const unwatched_writes&) = delete;
};

}  // namespace gmr::os
