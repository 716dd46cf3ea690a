// Names where there is no debug information.
#include "symbolize/symbol_table.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

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

struct found_section {
  Elf_Scn* section = nullptr;
  GElf_Shdr header{};
};

found_section find_section(Elf* elf, std::string_view wanted) {
  found_section found;
  std::size_t names = 0;
  if (::elf_getshdrstrndx(elf, &names) != 0) return {};
  while ((found.section = ::elf_nextscn(elf, found.section)) != nullptr) {
    if (::gelf_getshdr(found.section, &found.header) == nullptr) continue;
    const char* const name = ::elf_strptr(elf, names, found.header.sh_name);
    if (name != nullptr && wanted == name) return found;
  }
  return {};
}

// Linkers put the stubs in the order of their relocations, after a first one that they share.
struct stubs {
  std::uintptr_t first = 0;
  std::uintptr_t size = 16;
};

stubs find_stubs(Elf* elf) {
  if (const found_section second = find_section(elf, ".plt.sec"); second.section != nullptr)
    return {second.header.sh_addr};
  const found_section plt = find_section(elf, ".plt");
  if (plt.section == nullptr) return {};
  GElf_Ehdr header;
  const bool arm = ::gelf_getehdr(elf, &header) != nullptr && header.e_machine == EM_AARCH64;
  return {plt.header.sh_addr + (arm ? 32 : 16)};
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
  const found_section relocations = find_section(elf, ".rela.plt");
  const stubs where = find_stubs(elf);
  if (relocations.section == nullptr || where.first == 0) return;
  Elf_Scn* const symbols = ::elf_getscn(elf, relocations.header.sh_link);
  Elf_Data* const entries = ::elf_getdata(relocations.section, nullptr);
  Elf_Data* const names = symbols == nullptr ? nullptr : ::elf_getdata(symbols, nullptr);
  GElf_Shdr header;
  if (entries == nullptr || names == nullptr || ::gelf_getshdr(symbols, &header) == nullptr) return;
  const std::size_t count = entries->d_size / ::gelf_fsize(elf, ELF_T_RELA, 1, EV_CURRENT);
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Rela entry;
    GElf_Sym called;
    if (::gelf_getrela(entries, static_cast<int>(i), &entry) == nullptr ||
        ::gelf_getsym(names, static_cast<int>(GELF_R_SYM(entry.r_info)), &called) == nullptr)
      continue;
    const char* const name = ::elf_strptr(elf, header.sh_link, called.st_name);
    if (name == nullptr || name[0] == '\0') continue;
    stubs_.push_back(std::string{name} + "@plt");
    const std::uintptr_t begin = where.first + i * where.size;
    symbols_.push_back({begin, begin + where.size, stubs_.back().c_str(), 0, true});
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
