// Files may be replaced while the program runs (an upgrade in place): what is used must be what was
// loaded, or wrong rows and wrong names would be shown as right ones.
#include "unwind/elf_image.hpp"

#include <fcntl.h>
#include <gelf.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "os/file_status.hpp"
#include "os/files.hpp"
#include "os/loader_list.hpp"
#include "os/memory.hpp"
#include "os/memory_room.hpp"
#include "text/hex.hpp"

namespace gmr::unwind {
namespace {

constexpr std::size_t largest_image = 256U << 20;
constexpr std::size_t kept_for_report = 8U << 20;
constexpr std::size_t page_size = 4096;

// Without build ids, the same layout must do.
bool same_layout(Elf* elf, const os::module& loaded) {
  std::size_t count = 0;
  if (::elf_getphdrnum(elf, &count) != 0) return false;
  std::size_t next = 0;
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr header;
    if (::gelf_getphdr(elf, static_cast<int>(i), &header) == nullptr) return false;
    if (header.p_type != PT_LOAD) continue;
    if (next == loaded.segments.size()) return false;
    const os::load_segment& segment = loaded.segments[next++];
    if (segment.address != header.p_vaddr || segment.file_offset != header.p_offset ||
        segment.file_size != header.p_filesz)
      return false;
  }
  return next == loaded.segments.size();
}

// The vdso's section headers lie behind what its only segment says, but in its pages.
std::size_t size_in_memory(const os::load_segment& part, os::module_kind kind) {
  if (kind != os::module_kind::vdso) return part.file_size;
  return (part.file_size + page_size - 1) / page_size * page_size;
}

// Laid out as the file is. Writable segments have changed since and hold no CFI.
std::vector<std::byte> copy_image(const os::module& loaded) {
  std::size_t size = 0;
  for (const os::load_segment& part : loaded.segments) {
    if (!part.writable) size = std::max(size, part.file_offset + size_in_memory(part, loaded.kind));
  }
  if (size < sizeof(Elf64_Ehdr) || size > largest_image) return {};
  if (os::look_at_memory().bytes < size + kept_for_report) return {};
  std::vector<std::byte> image(size);
  for (const os::load_segment& part : loaded.segments) {
    if (part.writable) continue;
    const auto to = std::span{image}.subspan(part.file_offset, size_in_memory(part, loaded.kind));
    if (!os::read_memory(loaded.base + part.address, to)) return {};
  }
  return image;
}

// Section headers are not loaded (but those of the vdso are).
void drop_sections(std::vector<std::byte>& image) {
  Elf64_Ehdr header;
  std::memcpy(&header, image.data(), sizeof header);
  if (header.e_shoff + std::size_t{header.e_shnum} * header.e_shentsize <= image.size()) return;
  header.e_shoff = 0;
  header.e_shnum = 0;
  header.e_shstrndx = 0;
  std::memcpy(image.data(), &header, sizeof header);
}

}  // namespace

bool is_file_of(Elf* elf, const os::module& loaded) {
  return build_id_of(elf) == loaded.build_id && same_layout(elf, loaded);
}

std::string map_file_of(const os::module& loaded) {
  if (loaded.segments.empty()) return {};
  constexpr std::uintptr_t page = page_size - 1;
  const os::load_segment& first = loaded.segments.front();
  const std::uintptr_t begin = loaded.start;
  const std::uintptr_t end =
      (loaded.base + first.address + first.memory_size + page) & ~std::uintptr_t{page};
  std::string name = "/map_files/";
  texts::append_hex_digits(name, begin, 1);
  name += '-';
  texts::append_hex_digits(name, end, 1);
  return name;
}

elf_image::~elf_image() {
  if (elf_ != nullptr) ::elf_end(elf_);
}

void elf_image::swap(elf_image& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(opened_, other.opened_);
  std::swap(elf_, other.elf_);
  memory_.swap(other.memory_);
  path_.swap(other.path_);
}

elf_image::file_state elf_image::state_of_file() const noexcept {
  struct stat status{};
  if (os::file_status(file_.number(), status) != 0) return {};
  return {status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

bool elf_image::has_changed() const noexcept {
  return file_.is_open() && state_of_file() != opened_;
}

void elf_image::close_file() noexcept {
  if (!file_.is_open()) return;
  ::elf_cntl(elf_, ELF_C_FDDONE);
  file_.close();
}

elf_image elf_image::open(const std::string& path, access how) {
  elf_image image;
  ::elf_version(EV_CURRENT);
  image.file_ = os::descriptor{
      os::open_file(AT_FDCWD, path.c_str(), O_RDONLY | O_NONBLOCK, os::open_time::lasting)};
  if (!image.file_.is_open()) return {};
  image.opened_ = image.state_of_file();
  image.elf_ =
      ::elf_begin(image.file_.number(), how == access::map ? ELF_C_READ_MMAP : ELF_C_READ, nullptr);
  if (image.elf_ == nullptr || ::elf_kind(image.elf_) != ELF_K_ELF) return {};
  image.path_ = path;
  return image;
}

elf_image elf_image::of_bytes(std::vector<std::byte> bytes, const std::string& path) {
  elf_image image;
  ::elf_version(EV_CURRENT);
  image.memory_ = std::move(bytes);
  image.elf_ = ::elf_memory(reinterpret_cast<char*>(image.memory_.data()), image.memory_.size());
  if (image.elf_ == nullptr || ::elf_kind(image.elf_) != ELF_K_ELF) return {};
  image.path_ = path;
  return image;
}

elf_image elf_image::from_memory_of(const os::module& loaded) {
  std::vector<std::byte> bytes = copy_image(loaded);
  if (bytes.empty()) return {};
  drop_sections(bytes);
  return of_bytes(std::move(bytes), loaded.path);
}

elf_image elf_image::of(const os::module& loaded, access how) {
  if (loaded.kind == os::module_kind::vdso) return from_memory_of(loaded);
  std::vector<std::string> paths{loaded.path, "/proc/self" + map_file_of(loaded)};
  // Also where it was replaced; but it is the loader's where that was given the program to run.
  if (loaded.kind == os::module_kind::executable) paths.insert(paths.begin(), "/proc/self/exe");
  for (const std::string& path : paths) {
    elf_image image = elf_image::open(path, how);
    if (image.get() == nullptr || !is_file_of(image.get(), loaded)) continue;
    image.path_ = loaded.path;
    return image;
  }
  return from_memory_of(loaded);
}

std::string build_id_of(Elf* elf) {
  std::size_t count = 0;
  // A separate debug file keeps the program headers but not what they describe: ask the sections.
  Elf_Scn* section = nullptr;
  while ((section = ::elf_nextscn(elf, section)) != nullptr) {
    GElf_Shdr header;
    if (::gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_NOTE) continue;
    const Elf_Data* const data = ::elf_rawdata(section, nullptr);
    if (data == nullptr || data->d_buf == nullptr) continue;
    std::string id =
        os::build_id_in_notes(static_cast<const std::byte*>(data->d_buf), data->d_size);
    if (!id.empty()) return id;
  }
  if (::elf_getphdrnum(elf, &count) != 0) return {};
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr header;
    if (::gelf_getphdr(elf, static_cast<int>(i), &header) == nullptr || header.p_type != PT_NOTE)
      continue;
    const Elf_Data* const data = ::elf_getdata_rawchunk(elf, static_cast<int64_t>(header.p_offset),
                                                        header.p_filesz, ELF_T_BYTE);
    if (data == nullptr || data->d_buf == nullptr) continue;
    std::string id =
        os::build_id_in_notes(static_cast<const std::byte*>(data->d_buf), data->d_size);
    if (!id.empty()) return id;
  }
  return {};
}

}  // namespace gmr::unwind
