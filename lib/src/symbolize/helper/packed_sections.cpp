#include "symbolize/helper/packed_sections.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#ifdef GMR_HAS_LZMA
#include <lzma.h>
#endif
#ifdef GMR_HAS_ZSTD
#include <zstd.h>
#endif

namespace gmr::symbolize {
namespace {

using unwind::elf_image;
using bytes = std::vector<std::byte>;

constexpr std::size_t largest_image = 256U << 20;
constexpr std::uint32_t compressed_with_zstd = 2;  // ELFCOMPRESS_ZSTD, which older headers lack

struct file_section {
  GElf_Shdr header{};
  std::string_view name;
  std::span<const std::byte> content;  // as in the file
};

std::vector<file_section> sections_of(Elf* from) {
  std::vector<file_section> found(1);
  std::size_t names = 0;
  if (::elf_getshdrstrndx(from, &names) != 0) return found;
  Elf_Scn* section = nullptr;
  while ((section = ::elf_nextscn(from, section)) != nullptr) {
    file_section& next = found.emplace_back();
    if (::gelf_getshdr(section, &next.header) == nullptr) continue;
    const char* const name = ::elf_strptr(from, names, next.header.sh_name);
    if (name != nullptr) next.name = name;
    const Elf_Data* const data =
        next.header.sh_type == SHT_NOBITS ? nullptr : ::elf_rawdata(section, nullptr);
    if (data != nullptr && data->d_buf != nullptr)
      next.content = {static_cast<const std::byte*>(data->d_buf), data->d_size};
  }
  return found;
}

// The head of a compressed section; all zero when it is not compressed.
Elf64_Chdr head_of(const file_section& in) {
  Elf64_Chdr head{};
  if ((in.header.sh_flags & SHF_COMPRESSED) != 0 && in.content.size() >= sizeof head)
    std::memcpy(&head, in.content.data(), sizeof head);
  return head;
}

// False when it is damaged.
bool unpack([[maybe_unused]] std::span<const std::byte> packed,
            [[maybe_unused]] std::span<std::byte> to) {
#ifdef GMR_HAS_ZSTD
  const std::size_t got = ::ZSTD_decompress(to.data(), to.size(), packed.data(), packed.size());
  return ::ZSTD_isError(got) == 0 && got == to.size();
#else
  return false;
#endif
}

bool is_wanted(const file_section& in) {
  return in.name.starts_with(".debug_") || in.header.sh_type == SHT_STRTAB ||
         in.header.sh_type == SHT_NOTE;
}

std::string zstd_problem() {
#ifdef GMR_HAS_ZSTD
  return "its debug information is damaged: a section that is compressed with zstd";
#else
  return "its debug information is compressed with zstd, which gmr was built without";
#endif
}

// Where each section goes in an image that has nothing else: offset and size are set.
std::size_t lay_out(std::span<const file_section> all, std::vector<Elf64_Shdr>& headers) {
  constexpr std::size_t alignment = 16;
  std::size_t end = sizeof(Elf64_Ehdr);
  headers.reserve(all.size());
  for (const file_section& each : all) {
    Elf64_Shdr& made = headers.emplace_back(each.header);
    if (!is_wanted(each)) {
      if (headers.size() > 1) made.sh_type = SHT_NOBITS;
      continue;
    }
    const Elf64_Chdr head = head_of(each);
    const bool is_packed = head.ch_type == compressed_with_zstd;
    end = (end + alignment - 1) / alignment * alignment;
    made.sh_offset = end;
    made.sh_size = is_packed ? head.ch_size : each.content.size();
    if (is_packed) made.sh_flags &= ~std::uint64_t{SHF_COMPRESSED};
    end += std::min<std::uint64_t>(made.sh_size, largest_image);
  }
  return (end + alignment - 1) / alignment * alignment;
}

bool fill(std::span<const file_section> all, std::span<const Elf64_Shdr> headers, bytes& image) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!is_wanted(all[i])) continue;
    const auto to = std::span{image}.subspan(headers[i].sh_offset, headers[i].sh_size);
    const std::span<const std::byte> content = all[i].content;
    if (head_of(all[i]).ch_type != compressed_with_zstd)
      std::ranges::copy(content, to.begin());
    else if (!unpack(content.subspan(sizeof(Elf64_Chdr)), to))
      return false;
  }
  return true;
}

}  // namespace

// In one piece of just the size: there is not much memory.
elf_image unpack_zstd(Elf* from, std::string& problem) {
  const std::vector<file_section> all = sections_of(from);
  const bool any = std::ranges::any_of(
      all, [](const file_section& each) { return head_of(each).ch_type == compressed_with_zstd; });
  const Elf64_Ehdr* const header = ::elf64_getehdr(from);
  if (!any || header == nullptr) return {};
  std::vector<Elf64_Shdr> headers;
  const std::size_t end = lay_out(all, headers);
  bytes image;
  const auto table = std::as_bytes(std::span{headers});
  if (end <= largest_image) image.resize(end + table.size());
  if (image.empty() || !fill(all, headers, image)) {
    problem = zstd_problem();
    return {};
  }
  std::ranges::copy(table, image.begin() + static_cast<std::ptrdiff_t>(end));
  Elf64_Ehdr copy = *header;
  copy.e_shoff = end;
  copy.e_phoff = copy.e_phnum = 0;
  std::memcpy(image.data(), &copy, sizeof copy);
  return elf_image::of_bytes(std::move(image), {});
}

elf_image unpack_mini_symbols(Elf* from, [[maybe_unused]] std::string& problem) {
  const std::vector<file_section> all = sections_of(from);
  const auto found = std::ranges::find(all, ".gnu_debugdata", &file_section::name);
  if (found == all.end() || found->content.empty()) return {};
#ifdef GMR_HAS_LZMA
  constexpr std::size_t largest = 64U << 20;
  const auto* const packed = reinterpret_cast<const std::uint8_t*>(found->content.data());
  for (std::size_t size = found->content.size() * 8; size <= largest; size *= 2) {
    bytes unpacked(size);
    std::uint64_t memory = largest;
    std::size_t in = 0;
    std::size_t out = 0;
    const lzma_ret result = ::lzma_stream_buffer_decode(
        &memory, 0, nullptr, packed, &in, found->content.size(),
        reinterpret_cast<std::uint8_t*>(unpacked.data()), &out, unpacked.size());
    if (result == LZMA_BUF_ERROR) continue;
    if (result != LZMA_OK) break;
    unpacked.resize(out);
    elf_image image = elf_image::of_bytes(std::move(unpacked), {});
    if (image.get() != nullptr) return image;
    break;
  }
  problem = "its symbols in .gnu_debugdata are damaged";
#else
  problem = "its symbols are in .gnu_debugdata, which gmr was built without";
#endif
  return {};
}

}  // namespace gmr::symbolize
