// libFuzzer target: any bytes as a configuration file and as a text with URLs.
#include <cstddef>
#include <cstdint>

#include "hostile_options.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view content{reinterpret_cast<const char*>(data), size};
  hostile::load(content);
  hostile::mask(content);
  return 0;
}
