// Boost.Context's functions, found behind a library that comes before all others.
#include "original_functions.hpp"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <atomic>
#include <iterator>

#include "hook/fiber/fiber_originals.hpp"
#include "hook/fiber/fiber_self_test.hpp"

constinit gmr::trace::make_function gmr_original_make = nullptr;
constinit gmr::trace::jump_function gmr_original_jump = nullptr;
constinit gmr::trace::ontop_function gmr_original_ontop = nullptr;

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

bool find_all(find_function find, const trace::boost_names& names) noexcept {
  void* const make = find(names.make);
  void* const jump = find(names.jump);
  void* const ontop = find(names.ontop);
  if (make == nullptr || jump == nullptr || ontop == nullptr) return false;
  keep_loaded(make);
  gmr_original_jump = reinterpret_cast<trace::jump_function>(jump);
  gmr_original_ontop = reinterpret_cast<trace::ontop_function>(ontop);
  std::atomic_ref(gmr_original_make)
      .store(reinterpret_cast<trace::make_function>(make), std::memory_order_release);
  return true;
}

bool find_either(find_function find) noexcept {
  return std::any_of(std::begin(trace::names_of_boost), std::end(trace::names_of_boost),
                     [find](const trace::boost_names& names) { return find_all(find, names); });
}

bool is_of_this_library(const void* symbol) noexcept {
  Dl_info its{};
  Dl_info ours{};
  return dladdr(symbol, &its) != 0 && dladdr(reinterpret_cast<void*>(&find_either), &ours) != 0 &&
         its.dli_fbase == ours.dli_fbase;
}

}  // namespace

bool program_comes_first() noexcept {
  return std::any_of(std::begin(trace::names_of_boost), std::end(trace::names_of_boost),
                     [](const trace::boost_names& names) {
                       return !is_of_this_library(dlsym(RTLD_DEFAULT, names.jump));
                     });
}

bool knows_originals() noexcept {
  return std::atomic_ref(gmr_original_make).load(std::memory_order_acquire) != nullptr;
}

}  // namespace gmr::preload

namespace gmr::trace {

bool find_originals() noexcept {
  if (preload::knows_originals()) return true;
  return preload::find_either(preload::find_next) ||
         preload::find_either(preload::find_in_any_library);
}

std::string_view why_no_originals() noexcept {
  if (preload::find_next(sign_of_boost_context) != nullptr ||
      preload::find_in_any_library(sign_of_boost_context) != nullptr)
    return "fiber tracing inactive: this program's Boost.Context has other names for its switches "
           "than versions 1.81 to 1.92; use one of those";
  return "fiber tracing inactive: this program was started without a shared Boost.Context; with a "
         "static one link gmr::trace to it";
}

// No fiber is run while the program starts: what there is to say, the library says itself.
std::string_view test_fiber_hook() noexcept {
  return {};
}

}  // namespace gmr::trace
