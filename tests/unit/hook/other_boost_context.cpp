// Stands for a future Boost.Context: what is left when its switches have other names.
#include <boost/context/stack_traits.hpp>

namespace boost::context {

bool stack_traits::is_unbounded() BOOST_NOEXCEPT {
  return true;
}

std::size_t stack_traits::page_size() BOOST_NOEXCEPT {
  return 4096;
}

std::size_t stack_traits::default_size() BOOST_NOEXCEPT {
  return 128 * 1024;
}

std::size_t stack_traits::minimum_size() BOOST_NOEXCEPT {
  return 16 * 1024;
}

std::size_t stack_traits::maximum_size() BOOST_NOEXCEPT {
  return 1024 * 1024;
}

}  // namespace boost::context
