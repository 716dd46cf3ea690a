// One callable of several, for std::visit.
#pragma once

namespace gmr::views {

template <class... Callables>
struct overloaded : Callables... {
  using Callables::operator()...;
};

}  // namespace gmr::views
