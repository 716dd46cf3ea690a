// For a shared Boost.Context: our definitions of its three functions come first in the search
// order, so that shared libraries find them as well.
#include <dlfcn.h>

#include <atomic>

#include "trace/fiber/fiber_originals.hpp"

constinit gmr::trace::make_function gmr_original_make = nullptr;
constinit gmr::trace::jump_function gmr_original_jump = nullptr;
constinit gmr::trace::ontop_function gmr_original_ontop = nullptr;

namespace gmr::trace {
namespace {

// Behind us in the search order or, when this object is in a library behind Boost's, before us.
template <class Function>
bool find(const char* name, Function* ours, Function*& original) noexcept {
  auto* found = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
  if (found == nullptr || found == ours)
    found = reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
  if (found == nullptr || found == ours) return false;
  std::atomic_ref(original).store(found, std::memory_order_relaxed);
  return true;
}

}  // namespace

bool find_originals() noexcept {
  namespace context = boost::context::detail;
  return find("make_fcontext", context::make_fcontext, gmr_original_make) &&
         find("jump_fcontext", context::jump_fcontext, gmr_original_jump) &&
         find("ontop_fcontext", context::ontop_fcontext, gmr_original_ontop);
}

bool shared_libraries_are_hooked() noexcept {
  return dlsym(RTLD_DEFAULT, "jump_fcontext") ==
         reinterpret_cast<void*>(boost::context::detail::jump_fcontext);
}

}  // namespace gmr::trace
