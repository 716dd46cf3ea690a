#include "capture/static_tls.hpp"

#include <link.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace gmr::capture {
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

}  // namespace

std::size_t static_tls_size() {
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

}  // namespace gmr::capture
