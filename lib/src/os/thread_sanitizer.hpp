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

// As long as it lives, what the calling thread reads, writes and frees is no race: for what is
// handed over at that moment, and what the other thread is done with, as only an atomic counter
// tells. Not to be kept across other work.
class unwatched_accesses final {
 public:
  unwatched_accesses() noexcept;
  ~unwatched_accesses();
  unwatched_accesses(const unwatched_accesses&) = delete;
  unwatched_accesses& operator=(const unwatched_accesses&) = delete;
};

}  // namespace gmr::os
