// Names where there is no debug information.
#include "symbolize/helper/symbol_table.hpp"

#include "symbolize/helper/stubs.hpp"

namespace gmr::symbolize {
namespace {

unsigned rank_of(const GElf_Sym& symbol, const char* name) {
  const unsigned binding = GELF_ST_BIND(symbol.st_info);
  const unsigned by_binding = binding == STB_GLOBAL ? 0 : binding == STB_WEAK ? 1 : 2;
  // Aliases with underscores are the C library's private ones, and those of the vdso.
  return by_binding + (name[0] == '_' && name[1] == '_' ? 3U : 0U);
}

bool is_code(const GElf_Sym& symbol) {
  const unsigned type = GELF_ST_TYPE(symbol.st_info);
  return symbol.st_shndx != SHN_UNDEF && symbol.st_value != 0 &&
         (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE);
}

std::uintptr_t end_of_section(Elf* elf, const GElf_Sym& symbol) {
  GElf_Shdr header;
  Elf_Scn* const section = ::elf_getscn(elf, symbol.st_shndx);
  if (section == nullptr || ::gelf_getshdr(section, &header) == nullptr) return symbol.st_value;
  return header.sh_addr + header.sh_size;
}

}  // namespace

bool symbol_table::add(Elf* elf) {
  Elf_Scn* chosen = nullptr;
  GElf_Shdr chosen_header{};
  Elf_Scn* section = nullptr;
  while ((section = ::elf_nextscn(elf, section)) != nullptr) {
    GElf_Shdr header;
    if (::gelf_getshdr(section, &header) == nullptr) continue;
    const bool full = header.sh_type == SHT_SYMTAB;
    if (full || (header.sh_type == SHT_DYNSYM && chosen == nullptr)) {
      chosen = section;
      chosen_header = header;
    }
    if (full) break;
  }
  if (chosen != nullptr) add_section(elf, chosen, chosen_header.sh_link);
  return !choice_.is_empty();
}

void symbol_table::add_section(Elf* elf, Elf_Scn* section, std::size_t strings) {
  Elf_Data* const data = ::elf_getdata(section, nullptr);
  if (data == nullptr) return;
  const std::size_t count = data->d_size / ::gelf_fsize(elf, ELF_T_SYM, 1, EV_CURRENT);
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Sym entry;
    if (::gelf_getsym(data, static_cast<int>(i), &entry) == nullptr || !is_code(entry)) continue;
    const char* const name = ::elf_strptr(elf, strings, entry.st_name);
    if (name == nullptr || name[0] == '\0') continue;
    const bool sized = entry.st_size != 0;
    choice_.consider({.begin = entry.st_value,
                      .end = sized ? entry.st_value + entry.st_size : end_of_section(elf, entry),
                      .sized = sized,
                      .rank = rank_of(entry, name),
                      .name = reinterpret_cast<std::uintptr_t>(name)});
  }
}

void symbol_table::add_stubs(Elf* elf) {
  for (const stub& each : find_stubs(elf)) {
    stubs_.push_back(std::string{each.called} + "@plt");
    choice_.consider({.begin = each.begin,
                      .end = each.end,
                      .sized = true,
                      .rank = 0,
                      .name = reinterpret_cast<std::uintptr_t>(stubs_.back().c_str())});
  }
}

}  // namespace gmr::symbolize
