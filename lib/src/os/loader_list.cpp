// r_debug holds one list of link_map per namespace; all of it is read by copies, see modules.hpp.
#include "os/loader_list.hpp"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>

#include "os/file_text.hpp"
#include "os/memory.hpp"
#include "os/own_executable.hpp"
#include "text/hex.hpp"

namespace gmr::os {
namespace {

constexpr std::size_t most_modules = 8192;
constexpr std::size_t most_entries = 2 * most_modules;  // some describe no module
constexpr std::size_t most_headers = 64;
constexpr std::size_t most_notes = 64 * 1024;
constexpr std::uintptr_t page_mask = ~std::uintptr_t{4095};

using program_headers = std::vector<ElfW(Phdr)>;

std::string absolute(const std::string& path) {
  std::error_code failed;
  const auto full = std::filesystem::absolute(path, failed);
  return failed ? path : full.string();
}

void take_build_id(const ElfW(Phdr) & header, module& loaded) {
  std::vector<std::byte> notes(std::min<std::size_t>(header.p_memsz, most_notes));
  if (!loaded.build_id.empty() || !read_memory(loaded.base + header.p_vaddr, notes)) return;
  loaded.build_id = build_id_in_notes(notes.data(), notes.size());
}

void take_segment(const ElfW(Phdr) & header, module& loaded) {
  loaded.segments.push_back({.address = header.p_vaddr,
                             .file_offset = header.p_offset,
                             .file_size = header.p_filesz,
                             .memory_size = header.p_memsz,
                             .executable = (header.p_flags & PF_X) != 0,
                             .writable = (header.p_flags & PF_W) != 0});
  const std::uintptr_t begin = loaded.base + header.p_vaddr;
  loaded.extent.begin = std::min(loaded.extent.begin, begin);
  loaded.extent.end = std::max(loaded.extent.end, begin + header.p_memsz);
}

bool describe(const program_headers& headers, module& loaded) {
  loaded.extent = {UINTPTR_MAX, 0};
  for (const auto& header : headers) {
    if (header.p_type == PT_LOAD) take_segment(header, loaded);
    if (header.p_type == PT_DYNAMIC) loaded.dynamic = loaded.base + header.p_vaddr;
  }
  // Separate: the notes are looked up by an address that the segments must have confirmed.
  for (const auto& header : headers) {
    if (header.p_type == PT_NOTE) take_build_id(header, loaded);
  }
  if (loaded.segments.empty() || loaded.extent.begin >= loaded.extent.end) return false;
  loaded.start = (loaded.base + loaded.segments.front().address) & page_mask;
  return true;
}

program_headers read_headers(std::uintptr_t address, std::size_t count) {
  program_headers headers(std::min(count, most_headers));
  if (!read_memory(address, std::as_writable_bytes(std::span{headers}))) headers.clear();
  return headers;
}

std::optional<module> module_at(std::uintptr_t header_address, std::uintptr_t base) {
  ElfW(Ehdr) header;
  if (!read_object(header_address, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return std::nullopt;
  module loaded;
  loaded.base = base;
  if (!describe(read_headers(header_address + header.e_phoff, header.e_phnum), loaded))
    return std::nullopt;
  return loaded;
}

std::optional<module> vdso() {
  const std::uintptr_t address = ::getauxval(AT_SYSINFO_EHDR);
  if (address == 0) return std::nullopt;
  auto loaded = module_at(address, 0);
  if (!loaded) return std::nullopt;
  loaded = module_at(address, address - loaded->segments.front().address);
  if (!loaded) return std::nullopt;
  loaded->kind = module_kind::vdso;
  loaded->path = "[vdso]";
  return loaded;
}

std::optional<module> executable() {
  const std::uintptr_t address = ::getauxval(AT_PHDR);
  const program_headers headers = read_headers(address, ::getauxval(AT_PHNUM));
  std::uintptr_t base = 0;
  bool known = false;
  for (const auto& header : headers) {
    // Without PT_PHDR: the headers lie in the first page of the first segment.
    if (header.p_type == PT_LOAD && !known)
      base = (address & page_mask) - (header.p_vaddr & page_mask);
    if (header.p_type == PT_LOAD) known = true;
  }
  for (const auto& header : headers) {
    if (header.p_type == PT_PHDR) base = address - header.p_vaddr;
  }
  module loaded;
  loaded.kind = module_kind::executable;
  loaded.base = base;
  loaded.path = path_of_executable().content;
  if (!describe(headers, loaded)) return std::nullopt;
  return loaded;
}

// The loader writes the address of its r_debug into the executable's dynamic section.
std::uintptr_t debug_structure(const module& main) {
  for (std::uintptr_t address = main.dynamic; main.dynamic != 0; address += sizeof(ElfW(Dyn))) {
    ElfW(Dyn) entry;
    if (!read_object(address, entry) || entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_DEBUG) return entry.d_un.d_ptr;
  }
  return 0;
}

bool is_same(const link_map& one, const link_map& other) {
  return one.l_addr == other.l_addr && one.l_name == other.l_name && one.l_ld == other.l_ld &&
         one.l_next == other.l_next && one.l_prev == other.l_prev;
}

// The loader frees entries and names: what was read may have been something else by then.
bool is_unchanged(std::uintptr_t address, const link_map& seen, const std::string& name) {
  link_map now;
  return read_object(address, now) && is_same(now, seen) &&
         read_string(reinterpret_cast<std::uintptr_t>(now.l_name)) == name;
}

// False when the list changed meanwhile: what was read of one entry and the next may even lead
// round in a circle.
bool read_namespace(std::uintptr_t first, std::vector<module>& modules, loader_chain& chain) {
  link_map entry;
  for (std::uintptr_t address = first; address != 0 && modules.size() < most_modules;
       address = reinterpret_cast<std::uintptr_t>(entry.l_next)) {
    if (chain.entries.size() == most_entries || !read_object(address, entry)) return false;
    chain.entries.push_back({address, entry});
    // Libraries are linked at 0, so that their header lies at the base.
    auto loaded = module_at(entry.l_addr, entry.l_addr);
    const auto same = [&](const module& other) { return other.start == loaded->start; };
    if (!loaded || std::any_of(modules.begin(), modules.end(), same)) continue;
    const std::string name = read_string(reinterpret_cast<std::uintptr_t>(entry.l_name));
    if (!is_unchanged(address, entry, name)) return false;
    loaded->path = absolute(name);
    modules.push_back(std::move(*loaded));
  }
  return true;
}

// One list of link_map per namespace.
bool read_namespaces(std::uintptr_t first, std::vector<module>& modules, loader_chain& chain) {
  constexpr int most_namespaces = 16;
  std::uintptr_t next = first;
  for (int namespaces = 0; next != 0 && namespaces < most_namespaces; ++namespaces) {
    r_debug head{};
    if (!read_object(next, head)) return false;
    chain.heads.push_back({next, head});
    if (!read_namespace(reinterpret_cast<std::uintptr_t>(head.r_map), modules, chain)) return false;
    std::uintptr_t following = 0;
    // From version 2 on, a pointer to the next namespace follows the structure.
    if (head.r_version < 2) break;
    if (!read_object(next + sizeof head, following)) return false;
    next = following;
  }
  return true;
}

}  // namespace

std::string build_id_in_notes(const std::byte* notes, std::size_t size) {
  ElfW(Nhdr) header;
  for (std::size_t at = 0; at + sizeof header <= size;) {
    std::memcpy(&header, notes + at, sizeof header);
    const auto padded = [](std::size_t n) { return (n + 3) & ~std::size_t{3}; };
    const std::size_t name = at + sizeof header;
    const std::size_t content = name + padded(header.n_namesz);
    if (content > size || header.n_descsz > size - content) break;
    if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == 4 &&
        std::memcmp(notes + name, "GNU", 4) == 0)
      return texts::hex_digits({notes + content, header.n_descsz});
    at = content + padded(header.n_descsz);
  }
  return {};
}

std::vector<module> read_loader_list(loader_chain& chain) {
  chain = {};
  std::vector<module> modules;
  const auto main = executable();
  if (auto virtual_object = vdso()) modules.push_back(std::move(*virtual_object));
  if (!main) return modules;
  modules.push_back(*main);
  static constinit std::atomic<std::uintptr_t> first{0};  // never moves
  if (first.load() == 0) first.store(debug_structure(*main));
  chain.whole = read_namespaces(first.load(), modules, chain);
  return modules;
}

bool is_unchanged(const loader_chain& chain) {
  if (!chain.whole) return false;
  for (const loader_chain::head& seen : chain.heads) {
    r_debug now{};
    if (!read_object(seen.address, now) || now.r_map != seen.content.r_map) return false;
  }
  constexpr std::size_t at_once = 512;
  std::vector<link_map> now(std::min(at_once, chain.entries.size()));
  for (std::size_t done = 0; done < chain.entries.size(); done += now.size()) {
    const auto seen = std::span{chain.entries}.subspan(done).first(
        std::min(now.size(), chain.entries.size() - done));
    std::vector<iovec> to;
    std::vector<iovec> from;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      to.push_back({&now[i], sizeof now[i]});
      from.push_back({reinterpret_cast<void*>(seen[i].address), sizeof now[i]});
    }
    if (read_parts(to, from) != seen.size() * sizeof(link_map)) return false;
    for (std::size_t i = 0; i < seen.size(); ++i)
      if (!is_same(now[i], seen[i].content)) return false;
  }
  return true;
}

}  // namespace gmr::os
