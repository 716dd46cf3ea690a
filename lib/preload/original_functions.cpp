// Boost.Context's functions, found behind a library that comes before all others.
#include "original_functions.hpp"

#include <dlfcn.h>
#include <link.h>

#include <atomic>

#include "trace/fiber/fiber_originals.hpp"
#include "trace/fiber/fiber_self_test.hpp"

constinit gmr::trace::make_function gmr_original_make = nullptr;
constinit gmr::trace::jump_function gmr_original_jump = nullptr;
constinit gmr::trace::ontop_function gmr_original_ontop = nullptr;

extern "C" {
gmr::trace::fcontext_t make_fcontext(void*, std::size_t, void (*)(gmr::trace::transfer_t));
gmr::trace::transfer_t jump_fcontext(gmr::trace::fcontext_t, void*);
}

namespace gmr::preload {
namespace {

using find_function = void* (*)(const char* name);

void* find_next(const char* name) noexcept {
  return dlsym(RTLD_NEXT, name);
}

// In a library that was loaded later, for itself: a plug-in, an extension module.
void* find_in_any_library(const char* name) noexcept {
  void* const self = dlopen(nullptr, RTLD_LAZY);
  const link_map* at = nullptr;
  if (self == nullptr || dlinfo(self, RTLD_DI_LINKMAP, static_cast<void*>(&at)) != 0)
    return nullptr;
  void* found = nullptr;
  for (; at != nullptr && found == nullptr; at = at->l_next) {
    if (at->l_name == nullptr || *at->l_name == '\0') continue;
    void* const library = dlopen(at->l_name, RTLD_LAZY | RTLD_NOLOAD);
    if (library == nullptr) continue;
    void* const symbol = dlsym(library, name);  // also in what that library needs
    if (symbol != nullptr && symbol != dlsym(RTLD_DEFAULT, name)) found = symbol;
    dlclose(library);
  }
  dlclose(self);
  return found;
}

// Their library must not go while we know where they are.
void keep_loaded(void* symbol) noexcept {
  Dl_info place{};
  if (dladdr(symbol, &place) != 0)
    static_cast<void>(dlopen(place.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE));
}

bool find_all(find_function find) noexcept {
  void* const make = find("make_fcontext");
  void* const jump = find("jump_fcontext");
  void* const ontop = find("ontop_fcontext");
  if (make == nullptr || jump == nullptr || ontop == nullptr) return false;
  keep_loaded(make);
  gmr_original_jump = reinterpret_cast<trace::jump_function>(jump);
  gmr_original_ontop = reinterpret_cast<trace::ontop_function>(ontop);
  std::atomic_ref(gmr_original_make)
      .store(reinterpret_cast<trace::make_function>(make), std::memory_order_release);
  return true;
}

}  // namespace

bool program_comes_first() noexcept {
  return dlsym(RTLD_DEFAULT, "jump_fcontext") != reinterpret_cast<void*>(&::jump_fcontext);
}

}  // namespace gmr::preload

namespace gmr::trace {

bool find_originals() noexcept {
  if (std::atomic_ref(gmr_original_make).load(std::memory_order_acquire) != nullptr) return true;
  return preload::find_all(preload::find_next) || preload::find_all(preload::find_in_any_library);
}

bool shared_libraries_are_hooked() noexcept {
  return !preload::program_comes_first();
}

// Nothing to run while the program starts: what there is to say is found out for each report.
std::string_view test_fiber_hook() noexcept {
  return {};
}

}  // namespace gmr::trace
