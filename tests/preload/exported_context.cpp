// Of a static Boost.Context from 1.87 on: its functions as a build of it exports them that does not
// hide them, which distributions do or don't.
#include <boost/context/detail/fcontext.hpp>
#include <boost/version.hpp>

#if BOOST_VERSION >= 108700

namespace boost::context::detail {

transfer_t c_jump(fcontext_t, void*) asm("jump_fcontext");
fcontext_t c_make(void*, std::size_t, void (*)(transfer_t)) asm("make_fcontext");
transfer_t c_ontop(fcontext_t, void*, transfer_t (*)(transfer_t)) asm("ontop_fcontext");

[[gnu::visibility("default")]] transfer_t jump_fcontext(fcontext_t const to, void* data) {
  return c_jump(to, data);
}

[[gnu::visibility("default")]] fcontext_t make_fcontext(void* top, std::size_t size,
                                                        void (*function)(transfer_t)) {
  return c_make(top, size, function);
}

[[gnu::visibility("default")]] transfer_t ontop_fcontext(fcontext_t const to, void* data,
                                                         transfer_t (*function)(transfer_t)) {
  return c_ontop(to, data, function);
}

}  // namespace boost::context::detail

#endif
