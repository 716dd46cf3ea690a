#include "symbolize/helper/stubs.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

namespace gmr::symbolize {
namespace {

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

std::span<const unsigned char> bytes_of(const found_section& found) {
  if (found.section == nullptr || found.header.sh_type == SHT_NOBITS) return {};
  const Elf_Data* const data = ::elf_getdata(found.section, nullptr);
  if (data == nullptr || data->d_buf == nullptr) return {};
  return {static_cast<const unsigned char*>(data->d_buf), data->d_size};
}

// Calls `use` with the place that each relocation fills, and the name of what it is filled with;
// null when that has none.
template <class Use>
void for_each_relocation(Elf* elf, const found_section& relocations, Use use) {
  if (relocations.section == nullptr) return;
  Elf_Scn* const symbols = ::elf_getscn(elf, relocations.header.sh_link);
  Elf_Data* const entries = ::elf_getdata(relocations.section, nullptr);
  Elf_Data* const names = symbols == nullptr ? nullptr : ::elf_getdata(symbols, nullptr);
  GElf_Shdr header;
  if (entries == nullptr || names == nullptr || ::gelf_getshdr(symbols, &header) == nullptr) return;
  const std::size_t count = entries->d_size / ::gelf_fsize(elf, ELF_T_RELA, 1, EV_CURRENT);
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Rela entry;
    GElf_Sym called;
    const char* name = nullptr;
    if (::gelf_getrela(entries, static_cast<int>(i), &entry) == nullptr) continue;
    if (::gelf_getsym(names, static_cast<int>(GELF_R_SYM(entry.r_info)), &called) != nullptr)
      name = ::elf_strptr(elf, header.sh_link, called.st_name);
    use(entry.r_offset, name != nullptr && name[0] != '\0' ? name : nullptr);
  }
}

// x86-64: each stub jumps to where a word that the dynamic linker fills points to.
using filled_words = std::vector<std::pair<std::uintptr_t, const char*>>;

filled_words find_filled_words(Elf* elf) {
  filled_words words;
  for (const char* const name : {".rela.plt", ".rela.dyn"})
    for_each_relocation(elf, find_section(elf, name),
                        [&](std::uintptr_t place, const char* called) {
                          if (called != nullptr) words.emplace_back(place, called);
                        });
  std::sort(words.begin(), words.end());
  return words;
}

// Where the word lies that the code at `address` jumps through; 0 when it does something else.
std::uintptr_t word_of_jump(std::span<const unsigned char> code, std::uintptr_t address) {
  constexpr unsigned char landing_pad[] = {0xf3, 0x0f, 0x1e, 0xfa};  // endbr64
  constexpr unsigned char jump[] = {0xff, 0x25};                     // jmp *disp32(%rip)
  constexpr unsigned char bound_jump = 0xf2;
  std::size_t at = 0;
  if (code.size() >= sizeof landing_pad && std::equal(landing_pad, landing_pad + 4, code.data()))
    at += sizeof landing_pad;
  if (at < code.size() && code[at] == bound_jump) ++at;
  std::int32_t distance = 0;
  if (code.size() < at + sizeof jump + sizeof distance || code[at] != jump[0] ||
      code[at + 1] != jump[1])
    return 0;
  at += sizeof jump;
  std::memcpy(&distance, code.data() + at, sizeof distance);
  return address + at + sizeof distance + static_cast<std::uintptr_t>(std::intptr_t{distance});
}

void add_jumps(const found_section& found, std::size_t size, const filled_words& words,
               std::vector<stub>& stubs) {
  const std::span<const unsigned char> code = bytes_of(found);
  for (std::size_t at = 0; at + size <= code.size(); at += size) {
    const std::uintptr_t begin = found.header.sh_addr + at;
    const std::uintptr_t word = word_of_jump(code.subspan(at, size), begin);
    const auto filled = std::lower_bound(words.begin(), words.end(), std::pair{word, ""},
                                         [](auto& a, auto& b) { return a.first < b.first; });
    if (word != 0 && filled != words.end() && filled->first == word)
      stubs.push_back({begin, begin + size, filled->second});
  }
}

std::vector<stub> find_jumps(Elf* elf) {
  const filled_words words = find_filled_words(elf);
  std::vector<stub> stubs;
  constexpr std::size_t usual = 16;
  for (const char* const name : {".plt", ".plt.sec", ".plt.got"}) {
    const found_section found = find_section(elf, name);
    if (found.section == nullptr) continue;
    const bool told = found.header.sh_entsize == 8 || found.header.sh_entsize == usual;
    add_jumps(found, told ? found.header.sh_entsize : usual, words, stubs);
  }
  return stubs;
}

// aarch64: in the order of the relocations, after a first one that they share.
std::vector<stub> count_stubs(Elf* elf) {
  constexpr std::size_t size = 16;
  constexpr std::size_t first = 32;
  const found_section plt = find_section(elf, ".plt");
  std::vector<stub> stubs;
  if (plt.section == nullptr) return stubs;
  std::uintptr_t begin = plt.header.sh_addr + first;
  for_each_relocation(elf, find_section(elf, ".rela.plt"), [&](std::uintptr_t, const char* called) {
    if (called != nullptr) stubs.push_back({begin, begin + size, called});
    begin += size;
  });
  return stubs;
}

}  // namespace

std::vector<stub> find_stubs(Elf* elf) {
  GElf_Ehdr header;
  if (::gelf_getehdr(elf, &header) == nullptr) return {};
  return header.e_machine == EM_X86_64 ? find_jumps(elf) : count_stubs(elf);
}

}  // namespace gmr::symbolize
