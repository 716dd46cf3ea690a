// Boost.Context's functions as a Boost would have them whose code nobody knows: they call the real
// ones, which lie behind them. By the names that this Boost has, and no others.
#include <dlfcn.h>

#include <boost/context/detail/fcontext.hpp>
#include <boost/version.hpp>

#include "hook/fiber/fiber_originals.hpp"

namespace boost::context::detail {
namespace {

constexpr gmr::trace::boost_names names =
    gmr::trace::names_of_boost[BOOST_VERSION >= 108700 ? 1 : 0];

template <class Function>
Function real(const char* name) noexcept {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace

fcontext_t make_fcontext(void* top, std::size_t size, void (*function)(transfer_t)) {
  static const auto make = real<gmr::trace::make_function>(names.make);
  return make(top, size, function);
}

transfer_t jump_fcontext(fcontext_t to, void* data) {
  static const auto jump = real<gmr::trace::jump_function>(names.jump);
  return jump(to, data);
}

transfer_t ontop_fcontext(fcontext_t to, void* data, transfer_t (*function)(transfer_t)) {
  static const auto ontop = real<gmr::trace::ontop_function>(names.ontop);
  return ontop(to, data, function);
}

}  // namespace boost::context::detail
