// Boost.Context's own three functions, found in one of two ways: behind our definitions in the
// search order of the dynamic linker, or by the names the linker's --wrap gives them.
#pragma once

#include <boost/context/detail/fcontext.hpp>
#include <cstddef>
#include <string_view>

#include "hook/fiber/fiber_names.h"

namespace gmr::trace {

using boost::context::detail::fcontext_t;
using boost::context::detail::transfer_t;

using make_function = fcontext_t (*)(void*, std::size_t, void (*)(transfer_t));
using jump_function = transfer_t (*)(fcontext_t, void*);
using ontop_function = transfer_t (*)(fcontext_t, void*, transfer_t (*)(transfer_t));

// Both sets of names, of which a library has one.
struct boost_names {
  const char* make;
  const char* jump;
  const char* ontop;
};

#define GMR_TEXT_OF(name) #name
#define GMR_TEXT(name) GMR_TEXT_OF(name)
inline constexpr boost_names names_of_boost[] = {
    {GMR_TEXT(GMR_MAKE), GMR_TEXT(GMR_JUMP), GMR_TEXT(GMR_ONTOP)},
    {GMR_TEXT(GMR_MAKE_CXX), GMR_TEXT(GMR_JUMP_CXX), GMR_TEXT(GMR_ONTOP_CXX)},
};
#undef GMR_TEXT
#undef GMR_TEXT_OF

// A function that every shared Boost.Context exports, whatever the three are called in it, and that
// neither the hook nor libgmr_preload.so does.
inline constexpr char sign_of_boost_context[] = "_ZN5boost7context12stack_traits12default_sizeEv";

// Sets the pointers below. False when Boost's functions are not to be found; repeated calls do no
// harm, from any thread.
bool find_originals() noexcept;

// What the report says, for each of the following: what is not seen, why, and how to mend it.

// Where find_originals() is false.
[[nodiscard]] std::string_view why_no_originals() noexcept;

// Where calls of the hook's own module reach it: whether those of shared libraries, such as
// Boost.Fiber's, go past it. Empty when none do.
[[nodiscard]] std::string_view what_goes_past_the_hook() noexcept;

}  // namespace gmr::trace

extern "C" {
// The hook itself, whatever other definitions of its names there are.
[[gnu::visibility("hidden")]] gmr::trace::fcontext_t gmr_hook_make(
    void* top, std::size_t size, void (*function)(gmr::trace::transfer_t));
[[gnu::visibility("hidden")]] gmr::trace::transfer_t gmr_hook_jump(gmr::trace::fcontext_t to,
                                                                   void* data);
[[gnu::visibility("hidden")]] gmr::trace::transfer_t gmr_hook_ontop(
    gmr::trace::fcontext_t to, void* data, gmr::trace::transfer_t (*)(gmr::trace::transfer_t));

// Called by the assembly hook.
[[gnu::visibility("hidden")]] extern constinit gmr::trace::make_function gmr_original_make;
[[gnu::visibility("hidden")]] extern constinit gmr::trace::jump_function gmr_original_jump;
[[gnu::visibility("hidden")]] extern constinit gmr::trace::ontop_function gmr_original_ontop;
}
