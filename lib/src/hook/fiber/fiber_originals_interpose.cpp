// For a shared Boost.Context: our definitions of its three functions come first in the search
// order, so that shared libraries find them as well.
#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <iterator>

#include "hook/fiber/fiber_originals.hpp"
#include "hook/library_copies.hpp"

constinit gmr::trace::make_function gmr_original_make = nullptr;
constinit gmr::trace::jump_function gmr_original_jump = nullptr;
constinit gmr::trace::ontop_function gmr_original_ontop = nullptr;

namespace gmr::trace {
namespace {

// Asks the very library that Boost.Context is in.
void* find_in_boost_context(const char* name) noexcept {
  Dl_info library{};
  const void* const sign = dlsym(RTLD_DEFAULT, sign_of_boost_context);
  if (sign == nullptr || dladdr(sign, &library) == 0) return nullptr;
  void* const opened = dlopen(library.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
  if (opened == nullptr) return nullptr;
  void* const found = dlsym(opened, name);
  dlclose(opened);
  return found;
}

// Behind us in the search order or, when this object is in a library behind Boost's, before us.
// What is found there may be the hook of another copy of this library, which would send us back
// here.
template <class Function>
Function* find(const char* name, Function* ours) noexcept {
  for (void* const found :
       {dlsym(RTLD_NEXT, name), dlsym(RTLD_DEFAULT, name), find_in_boost_context(name)})
    if (found != nullptr && found != reinterpret_cast<void*>(ours) && !is_switch_of_a_copy(found))
      return reinterpret_cast<Function*>(found);
  return nullptr;
}

bool find_all(const boost_names& names) noexcept {
  const make_function make = find(names.make, gmr_hook_make);
  const jump_function jump = find(names.jump, gmr_hook_jump);
  const ontop_function ontop = find(names.ontop, gmr_hook_ontop);
  if (make == nullptr || jump == nullptr || ontop == nullptr) return false;
  std::atomic_ref(gmr_original_make).store(make, std::memory_order_relaxed);
  std::atomic_ref(gmr_original_jump).store(jump, std::memory_order_relaxed);
  std::atomic_ref(gmr_original_ontop).store(ontop, std::memory_order_relaxed);
  return true;
}

// Shared libraries call what the dynamic linker finds first, if there is a library behind us that
// has the name at all.
bool is_hooked(const char* name, const void* hook) noexcept {
  return dlsym(RTLD_NEXT, name) == nullptr || dlsym(RTLD_DEFAULT, name) == hook;
}

bool is_in_another_module(const void* symbol) noexcept {
  Dl_info its{};
  Dl_info ours{};
  return symbol != nullptr && dladdr(symbol, &its) != 0 &&
         dladdr(reinterpret_cast<void*>(gmr_hook_jump), &ours) != 0 &&
         its.dli_fbase != ours.dli_fbase;
}

}  // namespace

bool find_originals() noexcept {
  return std::any_of(std::begin(names_of_boost), std::end(names_of_boost), find_all);
}

std::string_view why_no_originals() noexcept {
  if (is_in_another_module(dlsym(RTLD_NEXT, sign_of_boost_context)) ||
      is_in_another_module(dlsym(RTLD_DEFAULT, sign_of_boost_context)))
    return "fiber tracing inactive: the program's Boost.Context has other names for its switches "
           "than versions 1.81 to 1.92; use one of those";
  return "fiber tracing inactive: no shared Boost.Context is loaded; with a static one link "
         "gmr::trace_wrap in place of gmr::trace (pkg-config: gmr-trace-static)";
}

std::string_view what_goes_past_the_hook() noexcept {
  const auto hooked = [](const boost_names& names) {
    return is_hooked(names.make, reinterpret_cast<const void*>(gmr_hook_make)) &&
           is_hooked(names.jump, reinterpret_cast<const void*>(gmr_hook_jump)) &&
           is_hooked(names.ontop, reinterpret_cast<const void*>(gmr_hook_ontop));
  };
  if (std::all_of(std::begin(names_of_boost), std::end(names_of_boost), hooked)) return {};
  return "fiber tracing incomplete: shared libraries such as Boost.Fiber go past the hook, which "
         "the "
         "program hides; make *_fcontext* global in the version script that it is linked with";
}

}  // namespace gmr::trace
