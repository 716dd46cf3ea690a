// Takes whatever the fuzzer makes for the answers of the helper program for names.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "symbolize/wire.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gmr::symbolize;
  message_splitter splitter;
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  splitter.add(bytes.substr(0, size / 2));
  splitter.add(bytes.substr(size / 2));
  while (const auto next = splitter.next()) {
    open_order open;
    locate_order locate;
    demangle_order demangle;
    opened_answer opened;
    reading_answer reading;
    found_answer found;
    (void)parse(next->content, open);
    (void)parse(next->content, locate);
    (void)parse(next->content, demangle);
    (void)parse(next->content, opened);
    (void)parse(next->content, reading);
    (void)parse(next->content, found);
  }
  return 0;
}
