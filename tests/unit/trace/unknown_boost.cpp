// Boost.Context's functions as a Boost would have them whose code nobody knows: they call the real
// ones, which lie behind them.
#include <dlfcn.h>

#include <boost/context/detail/fcontext.hpp>

namespace {

using boost::context::detail::fcontext_t;
using boost::context::detail::transfer_t;

template <class Function>
Function* real(const char* name) noexcept {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

[[gnu::visibility("default")]] fcontext_t make_fcontext(void* top, std::size_t size,
                                                        void (*function)(transfer_t)) {
  static auto* const make = real<fcontext_t(void*, std::size_t, void (*)(transfer_t))>(__func__);
  return make(top, size, function);
}

[[gnu::visibility("default")]] transfer_t jump_fcontext(fcontext_t to, void* data) {
  static auto* const jump = real<transfer_t(fcontext_t, void*)>(__func__);
  return jump(to, data);
}

[[gnu::visibility("default")]] transfer_t ontop_fcontext(fcontext_t to, void* data,
                                                         transfer_t (*function)(transfer_t)) {
  static auto* const ontop =
      real<transfer_t(fcontext_t, void*, transfer_t (*)(transfer_t))>(__func__);
  return ontop(to, data, function);
}
}
