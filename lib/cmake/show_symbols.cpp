// Copies a static library and makes the names of gmr in it visible to the linker: show_symbols
// ARCHIVE COPY. In the static library they are hidden, so that each module that is linked with it
// keeps to its own copy; libgmr.so is linked from the same objects, and what of them it exports is
// in its version script. No other tool takes the mark of a hidden symbol away.
#include <ar.h>
#include <elf.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

std::string read_file(const char* path) {
  std::ifstream file{path, std::ios::binary};
  std::string content{std::istreambuf_iterator<char>{file}, {}};
  if (!file) throw std::runtime_error{std::string{"can't read "} + path};
  return content;
}

// Members of archives begin at even places only, so everything is copied to where it is aligned.
template <class Header>
Header header_at(std::span<const char> bytes, std::size_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(Header))
    throw std::runtime_error{"the archive ends within a header"};
  Header header;
  std::memcpy(&header, bytes.data() + offset, sizeof header);
  return header;
}

bool is_shown(const Elf64_Sym& symbol, std::string_view name) {
  return ELF64_ST_BIND(symbol.st_info) == STB_GLOBAL &&
         ELF64_ST_VISIBILITY(symbol.st_other) == STV_HIDDEN &&
         (name.starts_with("_ZN3gmr") || name.starts_with("_ZNK3gmr") ||
          name.starts_with("gmr_has_"));
}

std::size_t show_symbols(std::span<char> object, const Elf64_Shdr& symbols,
                         const Elf64_Shdr& names) {
  std::size_t shown = 0;
  for (std::size_t at = 0; at < symbols.sh_size; at += sizeof(Elf64_Sym)) {
    const std::size_t offset = symbols.sh_offset + at;
    auto symbol = header_at<Elf64_Sym>(object, offset);
    const std::size_t name = names.sh_offset + symbol.st_name;
    if (name >= object.size()) throw std::runtime_error{"a symbol has no name"};
    if (!is_shown(symbol, object.data() + name)) continue;
    symbol.st_other = STV_DEFAULT;
    std::memcpy(object.data() + offset, &symbol, sizeof symbol);
    ++shown;
  }
  return shown;
}

std::size_t show_symbols(std::span<char> object) {
  const auto elf = header_at<Elf64_Ehdr>(object, 0);
  if (elf.e_ident[EI_CLASS] != ELFCLASS64) throw std::runtime_error{"an object is not ELF64"};
  std::size_t shown = 0;
  const auto section = [&](std::size_t index) {
    return header_at<Elf64_Shdr>(object, elf.e_shoff + index * sizeof(Elf64_Shdr));
  };
  // With very many sections their number is in the first one.
  const std::size_t count = elf.e_shnum != 0 ? elf.e_shnum : section(0).sh_size;
  for (std::size_t i = 0; i < count; ++i)
    if (const Elf64_Shdr symbols = section(i); symbols.sh_type == SHT_SYMTAB)
      shown += show_symbols(object, symbols, section(symbols.sh_link));
  return shown;
}

std::size_t show_symbols_of_archive(std::string& archive) {
  if (!archive.starts_with(ARMAG)) throw std::runtime_error{"not an archive, or a thin one"};
  std::size_t shown = 0;
  std::size_t offset = SARMAG;
  while (offset < archive.size()) {
    const auto header = header_at<ar_hdr>(archive, offset);
    offset += sizeof header;
    const std::size_t size = std::stoul(std::string{header.ar_size, sizeof header.ar_size});
    if (size > archive.size() - offset) throw std::runtime_error{"a member is cut off"};
    const std::span<char> member{archive.data() + offset, size};
    if (std::string_view{member.data(), member.size()}.starts_with(ELFMAG))
      shown += show_symbols(member);
    offset += size + size % 2;
  }
  return shown;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) throw std::runtime_error{"call it with an archive and the name of its copy"};
  std::string archive = read_file(argv[1]);
  if (show_symbols_of_archive(archive) == 0)
    throw std::runtime_error{"no hidden symbol of gmr is in the archive"};
  std::ofstream copy{argv[2], std::ios::binary};
  copy << archive << std::flush;
  if (!copy) throw std::runtime_error{std::string{"can't write "} + argv[2]};
  return EXIT_SUCCESS;
} catch (const std::exception& error) {
  std::cerr << "show_symbols: " << error.what() << '\n';
  return EXIT_FAILURE;
}
