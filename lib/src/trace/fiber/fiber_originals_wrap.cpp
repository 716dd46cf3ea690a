// For a static Boost.Context: the linker's --wrap sends calls to us and gives us Boost's own.
#include "trace/fiber/fiber_originals.hpp"

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

// With Boost.Context in the program, what uses it is in the program too.
bool shared_libraries_are_hooked() noexcept {
  return true;
}

}  // namespace gmr::trace
