// Memory that is refused ends the program at once, with a status that says why. libdw and libelf
// would go on with less than there is in the file, or exit with a status of theirs.
#include <unistd.h>

#include <cstddef>

#include "symbolize/helper/exit_status.hpp"

extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* before, std::size_t size);

static void* checked(void* memory) {
  if (memory == nullptr) ::_exit(gmr::symbolize::helper_exit::no_memory);
  return memory;
}

void* malloc(std::size_t size) {
  return checked(__libc_malloc(size));
}

void* calloc(std::size_t count, std::size_t size) {
  return checked(__libc_calloc(count, size));
}

void* realloc(void* before, std::size_t size) {
  void* const memory = __libc_realloc(before, size);
  return size == 0 ? memory : checked(memory);
}
}
