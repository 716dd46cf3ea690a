#include "storage/engine/id.hpp"

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid.hpp>
#include <cstdint>

namespace queue_server {

std::string new_id() {
  static constexpr char digits[] = "0123456789abcdef";
  thread_local boost::uuids::random_generator generate;
  std::string id;
  for (const std::uint8_t byte : generate()) {
    id += digits[byte >> 4];
    id += digits[byte & 15];
  }
  return id;
}

}  // namespace queue_server
