// Reads symbols, stubs and the build id of whatever the fuzzer takes for an ELF file.
#include <libelf.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "symbolize/stubs.hpp"
#include "symbolize/symbol_table.hpp"
#include "unwind/elf_image.hpp"
#include "unwind/loader_list.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  [[maybe_unused]] static const unsigned version = ::elf_version(EV_CURRENT);
  (void)gmr::unwind::build_id_in_notes(reinterpret_cast<const std::byte*>(data), size);
  std::vector<char> image(data, data + size);  // libelf wants it writable
  Elf* const elf = ::elf_memory(image.data(), image.size());
  if (elf == nullptr) return 0;
  if (::elf_kind(elf) == ELF_K_ELF) {
    (void)gmr::unwind::build_id_of(elf);
    gmr::symbolize::symbol_table table;
    table.add(elf);
    table.add_stubs(elf);
    for (std::uintptr_t address = 0; address < 0x5000; address += 8)
      (void)table.find(address);
  }
  ::elf_end(elf);
  return 0;
}
