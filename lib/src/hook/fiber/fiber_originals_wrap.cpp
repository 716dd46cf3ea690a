// For a static Boost.Context: the linker's --wrap sends calls to us and gives us Boost's own. Both
// sets of names are wrapped. Boost's own code has the C names in every version, and is taken by
// these: the C++ ones, since 1.87, only jump there, which the linker would send back to us.
#include <dlfcn.h>

#include "hook/fiber/fiber_originals.hpp"

extern "C" {
gmr::trace::fcontext_t __real_make_fcontext(void*, std::size_t, void (*)(gmr::trace::transfer_t));
gmr::trace::transfer_t __real_jump_fcontext(gmr::trace::fcontext_t, void*);
gmr::trace::transfer_t __real_ontop_fcontext(gmr::trace::fcontext_t, void*,
                                             gmr::trace::transfer_t (*)(gmr::trace::transfer_t));
}

constinit gmr::trace::make_function gmr_original_make = __real_make_fcontext;
constinit gmr::trace::jump_function gmr_original_jump = __real_jump_fcontext;
constinit gmr::trace::ontop_function gmr_original_ontop = __real_ontop_fcontext;

namespace gmr::trace {

bool find_originals() noexcept {
  return true;
}

std::string_view why_no_originals() noexcept {
  return {};
}

// With Boost.Context in the program, what uses it is in the program too, unless a library brings a
// shared one.
std::string_view what_goes_past_the_hook() noexcept {
  if (dlsym(RTLD_NEXT, sign_of_boost_context) == nullptr) return {};
  return "fiber tracing incomplete: a library brings a shared Boost.Context beside the program's "
         "static one, and fibers that use that are not seen; link the shared one to the program "
         "too, "
         "instead of the static one";
}

}  // namespace gmr::trace
