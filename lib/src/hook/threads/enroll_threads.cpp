// The opt-in gmr::trace_threads: every thread that pthread_create makes is enrolled before its
// function runs. Comes before the C library's pthread_create, in the program and all its libraries.
#include <dlfcn.h>
#include <pthread.h>

#include <cerrno>
#include <new>

#include "gmr/trace/enroll.hpp"

namespace {

using thread_function = void* (*)(void*);
using create_function = int (*)(pthread_t*, const pthread_attr_t*, thread_function, void*);

struct start {
  thread_function function;
  void* argument;
};

// Not noexcept: the end of a thread by pthread_exit unwinds through it.
void* run_enrolled(void* argument) {
  const start begin = *static_cast<start*>(argument);
  delete static_cast<start*>(argument);
  gmr::enroll_this_thread();
  return begin.function(begin.argument);
}

create_function find_original() noexcept {
  static const auto found = reinterpret_cast<create_function>(dlsym(RTLD_NEXT, "pthread_create"));
  return found;
}

}  // namespace

extern "C" [[gnu::visibility("default")]] int pthread_create(pthread_t* thread,
                                                             const pthread_attr_t* attributes,
                                                             thread_function function,
                                                             void* argument) noexcept {
  const create_function original = find_original();
  if (original == nullptr) return EAGAIN;
  auto* const begin = new (std::nothrow) start{function, argument};
  if (begin == nullptr) return original(thread, attributes, function, argument);
  const int result = original(thread, attributes, run_enrolled, begin);
  if (result != 0) delete begin;
  return result;
}
