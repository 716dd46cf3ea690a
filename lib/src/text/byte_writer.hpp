// Takes bytes one after the other.
#pragma once

#include <string_view>

namespace gmr::texts {

class byte_writer {
 public:
  virtual void write(std::string_view bytes) noexcept = 0;

 protected:
  ~byte_writer() = default;
};

}  // namespace gmr::texts
