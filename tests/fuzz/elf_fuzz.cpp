// Reads symbols, stubs and the build id of whatever the fuzzer takes for an ELF file.
#include <libelf.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "os/loader_list.hpp"
#include "symbolize/helper/stubs.hpp"
#include "symbolize/helper/symbol_table.hpp"
#include "unwind/elf_image.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  [[maybe_unused]] static const unsigned version = ::elf_version(EV_CURRENT);
  (void)gmr::os::build_id_in_notes(reinterpret_cast<const std::byte*>(data), size);
  std::vector<char> image(data, data + size);  // libelf wants it writable
  Elf* const elf = ::elf_memory(image.data(), image.size());
  if (elf == nullptr) return 0;
  if (::elf_kind(elf) == ELF_K_ELF) {
    (void)gmr::unwind::build_id_of(elf);
    std::vector<std::uintptr_t> addresses;
    for (std::uintptr_t address = 0; address < 0x5000; address += 8)
      addresses.push_back(address);
    gmr::symbolize::symbol_table table{addresses};
    (void)table.add(elf);
    table.add_stubs(elf);
    table.finish();
    for (std::size_t i = 0; i < addresses.size(); ++i)
      (void)table.find(i);
  }
  ::elf_end(elf);
  return 0;
}
