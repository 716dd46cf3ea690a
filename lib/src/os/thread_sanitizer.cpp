#include "os/thread_sanitizer.hpp"

// There when the program is built with it, whatever this library was built with. The last two are
// about reads as well.
extern "C" {
[[gnu::weak]] void __tsan_acquire(void* address);
[[gnu::weak]] void __tsan_release(void* address);
[[gnu::weak]] void AnnotateIgnoreWritesBegin(const char* file, int line);
[[gnu::weak]] void AnnotateIgnoreWritesEnd(const char* file, int line);
}

#if defined(__SANITIZE_THREAD__)
#define GMR_SANITIZES_THREADS 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GMR_SANITIZES_THREADS 1
#endif
#endif

namespace gmr::os {
namespace {

constinit char handed_over = 0;  // only its address matters

#if defined(GMR_SANITIZES_THREADS)
constexpr bool sees_all = true;
#else
constexpr bool sees_all = false;
#endif

}  // namespace

void hand_over() noexcept {
  if (!sees_all && __tsan_release != nullptr) __tsan_release(&handed_over);
}

void take_over() noexcept {
  if (!sees_all && __tsan_acquire != nullptr) __tsan_acquire(&handed_over);
}

unwatched_accesses::unwatched_accesses() noexcept {
  if (!sees_all && AnnotateIgnoreWritesBegin != nullptr)
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
}

unwatched_accesses::~unwatched_accesses() {
  if (!sees_all && AnnotateIgnoreWritesEnd != nullptr) AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
}

}  // namespace gmr::os
