// Boost.Context's own three functions, found in one of two ways: behind our definitions in the
// search order of the dynamic linker, or by the names the linker's --wrap gives them.
#pragma once

#include <boost/context/detail/fcontext.hpp>

namespace gmr::trace {

using boost::context::detail::fcontext_t;
using boost::context::detail::transfer_t;

using make_function = fcontext_t (*)(void*, std::size_t, void (*)(transfer_t));
using jump_function = transfer_t (*)(fcontext_t, void*);
using ontop_function = transfer_t (*)(fcontext_t, void*, transfer_t (*)(transfer_t));

// Sets the pointers below. False when Boost's functions are not to be found; repeated calls do no
// harm, from any thread.
bool find_originals() noexcept;

// Whether calls from shared libraries, such as Boost.Fiber's, reach the hook too.
[[nodiscard]] bool shared_libraries_are_hooked() noexcept;

}  // namespace gmr::trace

// Called by the assembly hook.
extern "C" {
[[gnu::visibility("hidden")]] extern constinit gmr::trace::make_function gmr_original_make;
[[gnu::visibility("hidden")]] extern constinit gmr::trace::jump_function gmr_original_jump;
[[gnu::visibility("hidden")]] extern constinit gmr::trace::ontop_function gmr_original_ontop;
}
