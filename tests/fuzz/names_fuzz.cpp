// Demangles and shortens whatever the fuzzer thinks of.
#include <cstddef>
#include <cstdint>
#include <string>

#include "symbolize/names.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  (void)gmr::symbolize::shorten(text);
  (void)gmr::symbolize::shorten(gmr::symbolize::complete_name(text));
  return 0;
}
