#include "os/loader.hpp"

#include <dlfcn.h>
#include <link.h>
#include <sys/auxv.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace gmr::os {
namespace {

struct block {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
};

int add_block(dl_phdr_info* module, std::size_t, void* data) {
  auto& blocks = *static_cast<std::vector<block>*>(data);
  if (module->dlpi_tls_data == nullptr) return 0;
  for (int i = 0; i < module->dlpi_phnum; ++i) {
    const auto& header = module->dlpi_phdr[i];
    if (header.p_type != PT_TLS) continue;
    const auto begin = reinterpret_cast<std::uintptr_t>(module->dlpi_tls_data);
    blocks.push_back({begin, begin + header.p_memsz});
  }
  return 0;
}

std::size_t find_static_tls_size() {
  std::vector<block> blocks;
  dl_iterate_phdr(add_block, &blocks);
  std::sort(blocks.begin(), blocks.end(),
            [](const block& one, const block& two) { return one.end > two.end; });
  // Static blocks follow each other downwards; those of modules loaded later lie elsewhere.
  const auto pointer = reinterpret_cast<std::uintptr_t>(__builtin_thread_pointer());
  constexpr std::uintptr_t widest_gap = 4096;
  std::uintptr_t low = pointer;
  for (const block& each : blocks)
    if (each.end <= low && low - each.end <= widest_gap) low = each.begin;
  return pointer - low;
}

// What is looked for: how much of its segment can be read from there on.
struct place {
  std::uintptr_t address = 0;
  std::size_t readable = 0;
};

int look_in_module(dl_phdr_info* module, std::size_t, void* argument) noexcept {
  auto& wanted = *static_cast<place*>(argument);
  for (const ElfW(Phdr) & segment : std::span{module->dlpi_phdr, module->dlpi_phnum}) {
    const std::size_t offset = wanted.address - module->dlpi_addr - segment.p_vaddr;
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_R) == 0 || offset >= segment.p_filesz)
      continue;
    wanted.readable = segment.p_filesz - offset;
    return 1;
  }
  return 0;
}

// What is looked for: notes of one kind.
struct wanted_notes {
  std::string_view owner;
  std::uint32_t type = 0;
  std::size_t bytes = 0;
  std::span<const void*> found;
  std::size_t count = 0;
};

void look_in_notes(const std::byte* notes, std::size_t size, wanted_notes& wanted) noexcept {
  constexpr auto padded = [](std::size_t bytes) { return (bytes + 3) & ~std::size_t{3}; };
  ElfW(Nhdr) header;
  for (std::size_t at = 0; at + sizeof header <= size && wanted.count < wanted.found.size();) {
    std::memcpy(&header, notes + at, sizeof header);
    const std::size_t name = at + sizeof header;
    const std::size_t content = name + padded(header.n_namesz);
    if (content > size || header.n_descsz > size - content) return;
    const bool is_wanted = header.n_type == wanted.type && header.n_descsz >= wanted.bytes &&
                           header.n_namesz == wanted.owner.size() + 1 &&
                           std::memcmp(notes + name, wanted.owner.data(), header.n_namesz - 1) == 0;
    if (is_wanted) wanted.found[wanted.count++] = notes + content;
    at = content + padded(header.n_descsz);
  }
}

using header_span = std::span<const ElfW(Phdr)>;

// What a program header says may have been made by anybody: only what the loader has mapped to be
// read may be looked at.
bool is_in_loaded_segment(header_span all, const ElfW(Phdr) & part) noexcept {
  return std::ranges::any_of(all, [&](const ElfW(Phdr) & segment) {
    const std::size_t offset = part.p_vaddr - segment.p_vaddr;  // wraps where it is below
    return segment.p_type == PT_LOAD && (segment.p_flags & PF_R) != 0 &&
           offset <= segment.p_filesz && part.p_memsz <= segment.p_filesz - offset;
  });
}

int look_for_notes(dl_phdr_info* module, std::size_t, void* argument) noexcept {
  const header_span all{module->dlpi_phdr, module->dlpi_phnum};
  for (const ElfW(Phdr) & segment : all)
    if (segment.p_type == PT_NOTE && is_in_loaded_segment(all, segment))
      look_in_notes(reinterpret_cast<const std::byte*>(module->dlpi_addr + segment.p_vaddr),
                    segment.p_memsz, *static_cast<wanted_notes*>(argument));
  return 0;
}

}  // namespace

std::size_t find_notes(std::string_view owner, std::uint32_t type, std::size_t bytes,
                       std::span<const void*> found) noexcept {
  wanted_notes wanted{owner, type, bytes, found};
  ::dl_iterate_phdr(look_for_notes, &wanted);
  return wanted.count;
}

void keep_loaded(const void* address) noexcept {
  Dl_info file{};
  if (::dladdr(address, &file) == 0 || file.dli_fname == nullptr) return;
  Dl_info executable{};  // it stays anyway, and is not found by its name
  const auto* const entry = reinterpret_cast<const void*>(::getauxval(AT_ENTRY));
  if (::dladdr(entry, &executable) != 0 && executable.dli_fbase == file.dli_fbase) return;
  static_cast<void>(::dlopen(file.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE));
}

// Not a guarded static: whoever comes second must not wait for who is stuck in the first call.
std::size_t static_tls_size() {
  static constinit std::atomic<std::size_t> known_and_one{0};
  std::size_t known = known_and_one.load(std::memory_order_relaxed);
  if (known == 0) {
    known = find_static_tls_size() + 1;
    known_and_one.store(known, std::memory_order_relaxed);
  }
  return known - 1;
}

std::size_t loaded_bytes_from(const void* address) noexcept {
  place where{reinterpret_cast<std::uintptr_t>(address)};
  ::dl_iterate_phdr(look_in_module, &where);
  return where.readable;
}

}  // namespace gmr::os
