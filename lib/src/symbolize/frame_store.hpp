// Where the frames of all reports live.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <deque>

#include "gmr/model/stack.hpp"

namespace gmr::symbolize {

// Equal frames are one object; none is ever moved or dropped, so its size is bounded by the code of
// the program. Not synchronised; what was returned may be read by any thread.
class frame_store final {
 public:
  [[nodiscard]] const frame* add(frame&& content);

 private:
  struct hash {
    std::size_t operator()(const frame* of) const noexcept;
  };
  struct equal {
    bool operator()(const frame* a, const frame* b) const noexcept;
  };

  std::deque<frame> frames_;
  boost::unordered_flat_set<const frame*, hash, equal> known_;
};

}  // namespace gmr::symbolize
