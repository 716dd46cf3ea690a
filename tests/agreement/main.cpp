// A process full of parked threads that reports on SIGUSR2: THREADS LOADED UNLOADED, all of them
// shared objects.
#include <dlfcn.h>

#include <boost/context/fiber.hpp>
#include <gmr/gmr.hpp>
#include <gmr/trace/enroll.hpp>
#include <iostream>
#include <semaphore>
#include <stdexcept>

#include "parking.hpp"

namespace {

void* load(const char* path) {
  void* const library = ::dlopen(path, RTLD_LAZY);
  if (library == nullptr) throw std::runtime_error(::dlerror());
  return library;
}

template <class Function>
Function* find(void* library, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(library, name));
}

using parks_in = void(void (*park)());

// The stack ends where the fiber began.
void park_in_fiber(void (*park)()) {
  boost::context::fiber fiber{[park](boost::context::fiber&& caller) {
    park();
    return std::move(caller);
  }};
  fiber = std::move(fiber).resume();
}

void start(gmr::reporter& reporter, char** libraries) {
  void* const threads = load(libraries[0]);
  void* const loaded = load(libraries[1]);
  void* const unloaded = load(libraries[2]);
  const auto start_one = find<decltype(nasty_start_one)>(threads, "nasty_start_one");
  start_one(park_in_fiber, "fiber");
  start_one(find<parks_in>(loaded, "park_in_plugin"), "loaded");
  start_one(find<parks_in>(unloaded, "park_in_plugin"), "unloaded");
  (void)reporter.make();  // which libraries there were is known from earlier reports
  ::dlclose(unloaded);
  find<decltype(nasty_start_all)>(threads, "nasty_start_all")(&gmr::enroll_this_thread);
}

}  // namespace

int main(int, char** argv) {
  gmr::settings settings;
  settings.format = gmr::report_format::json;
  gmr::reporter reporter{{.name = "nasty"}, settings};
  start(reporter, argv + 1);
  std::cout << "parked" << std::endl;
  std::binary_semaphore never{0};
  never.acquire();
}
