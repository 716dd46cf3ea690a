#include "os/bare_modules.hpp"

#include <link.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "os/memory.hpp"

namespace gmr::os {
namespace {

constexpr std::size_t most_bare_modules = 10'000;
constexpr std::size_t most_bare_headers = 64;
constexpr std::size_t most_bare_notes = 1024;
constexpr std::uintptr_t bare_page_mask = ~std::uintptr_t{4095};

using bare_header = ElfW(Phdr);
using bare_headers = std::array<bare_header, most_bare_headers>;

void take_build_id(std::span<const std::byte> notes, bare_module& found) noexcept {
  constexpr std::string_view digits = "0123456789abcdef";
  ElfW(Nhdr) note;
  const auto padded = [](std::size_t size) { return (size + 3) & ~std::size_t{3}; };
  for (std::size_t at = 0; at + sizeof note <= notes.size();) {
    std::memcpy(&note, notes.data() + at, sizeof note);
    const std::size_t name = at + sizeof note;
    const std::size_t content = name + padded(note.n_namesz);
    if (content > notes.size() || note.n_descsz > notes.size() - content) return;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
        std::memcmp(notes.data() + name, "GNU", 4) == 0) {
      for (const std::byte each : notes.subspan(content, note.n_descsz)) {
        if (found.build_id_size + 2 > found.build_id.size()) break;
        found.build_id[found.build_id_size++] = digits[std::to_integer<std::size_t>(each >> 4)];
        found.build_id[found.build_id_size++] = digits[std::to_integer<std::size_t>(each) & 15U];
      }
      return;
    }
    at = content + padded(note.n_descsz);
  }
}

void read_build_id(const bare_header& where, bare_module& found) noexcept {
  std::array<std::byte, most_bare_notes> notes;
  const std::size_t size = std::min<std::size_t>(where.p_memsz, notes.size());
  if (found.build_id_size == 0 && read_memory(found.base + where.p_vaddr, {notes.data(), size}))
    take_build_id({notes.data(), size}, found);
}

void take_segment(const bare_header& segment, bare_module& found) noexcept {
  const std::uintptr_t begin = found.base + segment.p_vaddr;
  const std::uintptr_t end = begin + segment.p_memsz;
  found.extent.begin = found.extent.end == 0 ? begin : std::min(found.extent.begin, begin);
  found.extent.end = std::max(found.extent.end, end);
  if ((segment.p_flags & PF_X) == 0) return;
  for (bare_module::range& each : found.code) {
    if (each.end != 0) continue;
    each = {begin, end};
    return;
  }
}

// Returns where its dynamic section is, 0 when it has none; `found.base` is set.
std::uintptr_t describe(std::span<const bare_header> all, bare_module& found) noexcept {
  std::uintptr_t dynamic = 0;
  for (const bare_header& each : all) {
    if (each.p_type == PT_LOAD) take_segment(each, found);
    if (each.p_type == PT_DYNAMIC) dynamic = found.base + each.p_vaddr;
    if (each.p_type == PT_GNU_EH_FRAME) found.frame_table = found.base + each.p_vaddr;
  }
  for (const bare_header& each : all)
    if (each.p_type == PT_NOTE) read_build_id(each, found);
  return dynamic;
}

std::size_t read_headers(std::uintptr_t address, std::size_t count, bare_headers& out) noexcept {
  const std::span wanted{out.data(), std::min(count, out.size())};
  return read_memory(address, std::as_writable_bytes(wanted)) ? wanted.size() : 0;
}

// Of a module whose ELF header is there.
bool describe_at(std::uintptr_t address, bare_module& found, bare_headers& scratch,
                 std::size_t& count) noexcept {
  ElfW(Ehdr) file;
  if (!read_object(address, file) || std::memcmp(file.e_ident, ELFMAG, SELFMAG) != 0) return false;
  count = read_headers(address + file.e_phoff, file.e_phnum, scratch);
  describe({scratch.data(), count}, found);
  return found.extent.end != 0;
}

}  // namespace

bool bare_module::has_code_at(std::uintptr_t address) const noexcept {
  return std::ranges::any_of(
      code, [&](const range& each) { return address >= each.begin && address < each.end; });
}

bare_modules::bare_modules() : modules_(most_bare_modules) {}

bare_module* bare_modules::next() noexcept {
  if (count_ == modules_.size()) return nullptr;
  bare_module& made = modules_[count_];
  made = {};
  return &made;
}

void bare_modules::read() noexcept {
  count_ = 0;
  read_kernels();
  read_executable();
}

void bare_modules::read_kernels() noexcept {
  const std::uintptr_t address = ::getauxval(AT_SYSINFO_EHDR);
  bare_module* const made = address == 0 ? nullptr : next();
  if (made == nullptr) return;
  bare_headers all;
  std::size_t count = 0;
  if (!describe_at(address, *made, all, count)) return;
  const std::uintptr_t linked_at = made->extent.begin & bare_page_mask;
  *made = {};
  made->base = address - linked_at;
  describe({all.data(), count}, *made);
  constexpr std::string_view name = "[vdso]";
  made->path_size = name.copy(made->path.data(), made->path.size());
  ++count_;
}

void bare_modules::read_executable() noexcept {
  const std::uintptr_t address = ::getauxval(AT_PHDR);
  bare_headers all;
  const std::size_t count = read_headers(address, ::getauxval(AT_PHNUM), all);
  bare_module* const made = next();
  if (count == 0 || made == nullptr) return;
  bool known = false;
  for (const bare_header& each : std::span{all}.first(count)) {
    // Without PT_PHDR the headers lie in the first page of the first segment.
    if (each.p_type == PT_PHDR) made->base = address - each.p_vaddr;
    if (each.p_type == PT_LOAD && !known && made->base == 0)
      made->base = (address & bare_page_mask) - (each.p_vaddr & bare_page_mask);
    if (each.p_type == PT_LOAD || each.p_type == PT_PHDR) known = true;
  }
  const std::uintptr_t dynamic = describe({all.data(), count}, *made);
  const ssize_t size = ::readlink("/proc/self/exe", made->path.data(), made->path.size());
  made->path_size = size < 0 ? 0 : static_cast<std::size_t>(size);
  ++count_;
  read_libraries(dynamic);
}

// The loader writes the address of its list into the executable's dynamic section.
void bare_modules::read_libraries(std::uintptr_t dynamic) noexcept {
  std::uintptr_t list = 0;
  constexpr int most_entries = 1000;
  for (int i = 0; dynamic != 0 && i < most_entries; ++i, dynamic += sizeof(ElfW(Dyn))) {
    ElfW(Dyn) entry;
    if (!read_object(dynamic, entry) || entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_DEBUG) list = entry.d_un.d_ptr;
  }
  r_debug head{};
  if (list == 0 || !read_object(list, head)) return;
  link_map entry{};
  bare_headers all;
  const auto first = reinterpret_cast<std::uintptr_t>(head.r_map);
  std::size_t steps = 0;
  for (std::uintptr_t at = first; at != 0 && steps < most_bare_modules; ++steps) {
    if (!read_object(at, entry)) return;
    at = reinterpret_cast<std::uintptr_t>(entry.l_next);
    bare_module* const made = next();
    if (made == nullptr) return;
    made->base = entry.l_addr;
    std::size_t count = 0;
    if (!describe_at(entry.l_addr, *made, all, count)) continue;
    // The list has the first two, the kernel's and the executable, as well.
    const auto is_same = [&](const bare_module& other) {
      return other.extent.begin == made->extent.begin;
    };
    if (std::ranges::any_of(this->all().first(std::min<std::size_t>(count_, 2)), is_same)) continue;
    const std::size_t size = read_bytes(reinterpret_cast<std::uintptr_t>(entry.l_name),
                                        std::as_writable_bytes(std::span{made->path}));
    made->path_size = ::strnlen(made->path.data(), size);
    ++count_;
  }
}

const bare_module* bare_modules::find(std::uintptr_t address) const noexcept {
  for (const bare_module& each : all())
    if (address >= each.extent.begin && address < each.extent.end) return &each;
  return nullptr;
}

bool bare_modules::is_code(std::uintptr_t address) const noexcept {
  const bare_module* const found = find(address);
  return found != nullptr && found->has_code_at(address);
}

}  // namespace gmr::os
