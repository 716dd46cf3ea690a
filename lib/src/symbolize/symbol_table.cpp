// Names where there is no debug information.
#include "symbolize/symbol_table.hpp"

#include <algorithm>

#include "symbolize/stubs.hpp"

namespace gmr::symbolize {
namespace {

int rank_of(const GElf_Sym& symbol, const char* name) {
  const unsigned binding = GELF_ST_BIND(symbol.st_info);
  const int by_binding = binding == STB_GLOBAL ? 0 : binding == STB_WEAK ? 1 : 2;
  // Aliases with underscores are the C library's private ones, and those of the vdso.
  return by_binding + (name[0] == '_' && name[1] == '_' ? 3 : 0);
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

void symbol_table::add(Elf* elf) {
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
  finish();
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
    symbols_.push_back({entry.st_value,
                        sized ? entry.st_value + entry.st_size : end_of_section(elf, entry), name,
                        rank_of(entry, name), sized});
  }
}

void symbol_table::add_stubs(Elf* elf) {
  for (const stub& each : find_stubs(elf)) {
    stubs_.push_back(std::string{each.called} + "@plt");
    symbols_.push_back({each.begin, each.end, stubs_.back().c_str(), 0, true});
  }
  finish();
}

void symbol_table::finish() {
  std::sort(symbols_.begin(), symbols_.end(), [](const symbol& a, const symbol& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.rank < b.rank;
  });
  const auto same = [](const symbol& a, const symbol& b) {
    return a.begin == b.begin && (a.end == b.end || !b.sized);
  };
  symbols_.erase(std::unique(symbols_.begin(), symbols_.end(), same), symbols_.end());
}

const char* symbol_table::find(std::uintptr_t address) const {
  auto at = std::upper_bound(symbols_.begin(), symbols_.end(), address,
                             [](std::uintptr_t value, const symbol& s) { return value < s.begin; });
  // Functions do not overlap, but labels may lie within one.
  constexpr int most_steps = 16;
  for (int step = 0; step < most_steps && at != symbols_.begin(); ++step) {
    --at;
    if (address < at->end && (at->sized || step == 0)) return at->name;
  }
  return nullptr;
}

}  // namespace gmr::symbolize
