#include "symbolize/table_names.hpp"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <optional>
#include <string_view>

#include "os/files.hpp"
#include "os/loader_list.hpp"
#include "os/memory.hpp"
#include "symbolize/symbol_choice.hpp"

namespace gmr::symbolize {
namespace {

using time_point = std::chrono::steady_clock::time_point;

constexpr std::size_t longest_table_name = 32 * 1024;
constexpr std::size_t most_headers = 4096;
constexpr std::size_t largest_notes = 64 * 1024;

// Bytes by their place in a file or in memory.
class byte_source {
 public:
  byte_source() = default;
  virtual ~byte_source() = default;
  byte_source(const byte_source&) = delete;
  byte_source& operator=(const byte_source&) = delete;

  // How many there are from there on, at most as many as fit.
  [[nodiscard]] virtual std::size_t read(std::uint64_t at, std::span<std::byte> to) const = 0;

  template <class T>
  [[nodiscard]] bool read_object(std::uint64_t at, T& to) const {
    return read(at, std::as_writable_bytes(std::span{&to, 1})) == sizeof to;
  }
  // Up to the first zero.
  [[nodiscard]] std::string read_string(std::uint64_t at, std::size_t limit) const {
    std::string text;
    std::array<char, 256> piece;
    while (text.size() < limit) {
      const std::size_t got = read(at + text.size(), std::as_writable_bytes(std::span{piece}));
      const std::string_view bytes{piece.data(), got};
      text.append(bytes.substr(0, bytes.find('\0')));
      if (bytes.find('\0') != std::string_view::npos || got < piece.size()) break;
    }
    text.resize(std::min(text.size(), limit));
    return text;
  }
};

class file_source final : public byte_source {
 public:
  explicit file_source(const std::string& path)
      : file_(os::open_file(AT_FDCWD, path.c_str(), O_RDONLY | O_NONBLOCK)) {}

  std::size_t read(std::uint64_t at, std::span<std::byte> to) const override {
    const int number = file_.number();
    std::size_t done = 0;
    while (number >= 0 && done < to.size()) {
      const ssize_t got =
          ::pread(number, to.data() + done, to.size() - done, static_cast<off_t>(at + done));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

 private:
  os::descriptor file_;
};

class memory_source final : public byte_source {
 public:
  std::size_t read(std::uint64_t at, std::span<std::byte> to) const override {
    return os::read_bytes(at, to);
  }
};

struct table {
  std::uint64_t symbols = 0;
  std::uint64_t count = 0;
  std::uint64_t names = 0;
  std::uint64_t names_size = 0;
};

bool is_code(const Elf64_Sym& symbol) {
  const unsigned type = ELF64_ST_TYPE(symbol.st_info);
  return symbol.st_shndx != SHN_UNDEF && symbol.st_value != 0 && symbol.st_name != 0 &&
         (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE);
}

// The chosen ones keep the place of their name; of two for one place the nicer name is looked up.
class table_reader final {
 public:
  table_reader(const byte_source& from, const os::module& in,
               std::span<const std::uintptr_t> addresses, time_point deadline)
      : from_(from), module_(in), deadline_(deadline), choice_(addresses) {}

  void read(const table& of) {
    table_ = &of;
    constexpr std::size_t step = 512;
    std::array<Elf64_Sym, step> symbols;
    for (std::uint64_t done = 0; done < of.count;) {
      const std::size_t wanted = std::min<std::uint64_t>(step, of.count - done);
      const auto to = std::as_writable_bytes(std::span{symbols}.first(wanted));
      const std::size_t got = from_.read(of.symbols + done * sizeof(Elf64_Sym), to);
      for (std::size_t i = 0; i < got / sizeof(Elf64_Sym) && !is_late(); ++i)
        consider(symbols[i]);
      if (got < to.size() || is_late_) break;
      done += wanted;
    }
    choice_.finish();
  }

  [[nodiscard]] std::string name(std::size_t index) const {
    const std::uintptr_t offset = choice_.name(index);
    return offset == 0 ? std::string() : name_at(offset, longest_table_name);
  }

 private:
  [[nodiscard]] std::string name_at(std::uint64_t offset, std::size_t limit) const {
    if (offset >= table_->names_size) return {};
    return from_.read_string(table_->names + offset,
                             std::min<std::uint64_t>(limit, table_->names_size - offset));
  }

  // A damaged table may have millions of symbols that all cover all addresses.
  bool is_late() {
    is_late_ = is_late_ || std::chrono::steady_clock::now() >= deadline_;
    return is_late_;
  }

  void consider(const Elf64_Sym& symbol) {
    if (!is_code(symbol)) return;
    const unsigned binding = ELF64_ST_BIND(symbol.st_info);
    const bool sized = symbol.st_size != 0;
    choice_.consider({.begin = symbol.st_value,
                      .end = sized ? symbol.st_value + symbol.st_size : end_of_code(symbol),
                      .sized = sized,
                      .rank = binding == STB_GLOBAL ? 0U
                              : binding == STB_WEAK ? 1U
                                                    : 2U,
                      .name = symbol.st_name},
                     [&](const code_symbol& a, const code_symbol& b) { return full(b) < full(a); });
  }

  // Aliases with underscores are the C library's private ones.
  [[nodiscard]] unsigned full(const code_symbol& symbol) const {
    return symbol.rank + (name_at(symbol.name, 2) == "__" ? 3U : 0U);
  }

  [[nodiscard]] std::uintptr_t end_of_code(const Elf64_Sym& symbol) const {
    for (const os::load_segment& each : module_.segments) {
      if (each.executable && symbol.st_value >= each.address &&
          symbol.st_value < each.address + each.memory_size)
        return each.address + each.memory_size;
    }
    return symbol.st_value;
  }

  const byte_source& from_;
  const os::module& module_;
  const time_point deadline_;
  const table* table_ = nullptr;
  bool is_late_ = false;
  symbol_choice choice_;
};

std::vector<std::string> names_of(const byte_source& from, const os::module& in, const table& of,
                                  std::span<const std::uintptr_t> addresses, time_point deadline) {
  std::vector<std::size_t> order(addresses.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return addresses[a] < addresses[b]; });
  std::vector<std::uintptr_t> sorted;
  sorted.reserve(order.size());
  for (const std::size_t each : order)
    sorted.push_back(addresses[each]);
  table_reader reader{from, in, sorted, deadline};
  reader.read(of);
  std::vector<std::string> names(addresses.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    names[order[i]] = reader.name(i);
  return names;
}

template <class Header, class Use>
bool for_each_header(const byte_source& from, std::uint64_t at, std::size_t count, Use use) {
  Header header;
  for (std::size_t i = 0; i < std::min(count, most_headers); ++i) {
    if (!from.read_object(at + i * sizeof header, header)) return false;
    use(header);
  }
  return true;
}

std::string notes_build_id(const byte_source& from, const Elf64_Phdr& header) {
  std::vector<std::byte> notes(std::min<std::uint64_t>(header.p_filesz, largest_notes));
  notes.resize(from.read(header.p_offset, notes));
  return os::build_id_in_notes(notes.data(), notes.size());
}

// By build id and layout.
bool is_file_of(const byte_source& from, const Elf64_Ehdr& file, const os::module& in) {
  std::string id;
  std::size_t segments = 0;
  bool same = true;
  const bool whole =
      for_each_header<Elf64_Phdr>(from, file.e_phoff, file.e_phnum, [&](const Elf64_Phdr& each) {
        if (each.p_type == PT_NOTE && id.empty()) id = notes_build_id(from, each);
        if (each.p_type != PT_LOAD) return;
        const os::load_segment* const loaded =
            segments < in.segments.size() ? &in.segments[segments] : nullptr;
        ++segments;
        same = same && loaded != nullptr && loaded->address == each.p_vaddr &&
               loaded->file_offset == each.p_offset && loaded->file_size == each.p_filesz;
      });
  return whole && same && segments == in.segments.size() && id == in.build_id;
}

std::optional<table> table_in_file(const byte_source& from, const Elf64_Ehdr& file) {
  Elf64_Shdr chosen{};
  for_each_header<Elf64_Shdr>(from, file.e_shoff, file.e_shnum, [&](const Elf64_Shdr& each) {
    if (each.sh_type == SHT_SYMTAB || (each.sh_type == SHT_DYNSYM && chosen.sh_type == 0))
      chosen = each;
  });
  Elf64_Shdr names{};
  if (chosen.sh_type == 0 || chosen.sh_link >= file.e_shnum ||
      !from.read_object(file.e_shoff + chosen.sh_link * sizeof names, names))
    return std::nullopt;
  return table{chosen.sh_offset, chosen.sh_size / sizeof(Elf64_Sym), names.sh_offset,
               names.sh_size};
}

std::optional<std::vector<std::string>> names_in_file(
    const std::string& path, const os::module& in, std::span<const std::uintptr_t> addresses,
    std::chrono::steady_clock::time_point deadline) {
  const file_source from{path};
  Elf64_Ehdr file{};
  if (!from.read_object(0, file) || std::memcmp(file.e_ident, ELFMAG, SELFMAG) != 0 ||
      file.e_ident[EI_CLASS] != ELFCLASS64 || !is_file_of(from, file, in))
    return std::nullopt;
  const auto found = table_in_file(from, file);
  if (!found) return std::nullopt;
  return names_of(from, in, *found, addresses, deadline);
}

// How many symbols there are: the last one is in the chain of the highest bucket.
std::uint64_t count_by_gnu_hash(const byte_source& from, std::uint64_t at) {
  struct {
    std::uint32_t buckets, first, words, shift;
  } head{};
  if (!from.read_object(at, head) || head.buckets > (1U << 24)) return 0;
  const std::uint64_t buckets =
      at + sizeof head + std::uint64_t{head.words} * sizeof(std::uint64_t);
  std::uint32_t last = 0;
  std::array<std::uint32_t, 1024> piece;
  for (std::uint32_t done = 0; done < head.buckets;) {
    const auto wanted = std::min<std::size_t>(piece.size(), head.buckets - done);
    const auto to = std::as_writable_bytes(std::span{piece}.first(wanted));
    if (from.read(buckets + done * sizeof last, to) != to.size()) return 0;
    last =
        std::max(last, *std::max_element(piece.begin(), piece.begin() + static_cast<long>(wanted)));
    done += static_cast<std::uint32_t>(wanted);
  }
  if (last < head.first) return head.first;
  constexpr std::uint32_t longest_chain = 1U << 20;
  const std::uint64_t chains = buckets + std::uint64_t{head.buckets} * sizeof last;
  for (std::uint32_t step = 0; step < longest_chain; ++step, ++last) {
    std::uint32_t hash = 0;
    if (!from.read_object(chains + std::uint64_t{last - head.first} * sizeof hash, hash)) break;
    if ((hash & 1U) != 0) break;
  }
  return std::uint64_t{last} + 1;
}

std::optional<table> table_in_memory(const byte_source& from, const os::module& in) {
  table found;
  std::uint64_t hash = 0;
  std::uint64_t gnu_hash = 0;
  // The loader has made addresses of most of these, but not those of the vdso.
  const auto place = [&](std::uint64_t value) {
    return in.extent.contains(value) ? value : value + in.base;
  };
  Elf64_Dyn entry{};
  for (std::size_t i = 0; i < most_headers; ++i) {
    if (in.dynamic == 0 || !from.read_object(in.dynamic + i * sizeof entry, entry)) break;
    if (entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_SYMTAB) found.symbols = place(entry.d_un.d_ptr);
    if (entry.d_tag == DT_STRTAB) found.names = place(entry.d_un.d_ptr);
    if (entry.d_tag == DT_STRSZ) found.names_size = entry.d_un.d_val;
    if (entry.d_tag == DT_HASH) hash = place(entry.d_un.d_ptr);
    if (entry.d_tag == DT_GNU_HASH) gnu_hash = place(entry.d_un.d_ptr);
  }
  if (found.symbols == 0 || found.names == 0) return std::nullopt;
  std::array<std::uint32_t, 2> head{};  // buckets and symbols
  if (gnu_hash != 0)
    found.count = count_by_gnu_hash(from, gnu_hash);
  else if (hash != 0 && from.read_object(hash, head))
    found.count = head[1];
  return found;
}

}  // namespace

std::vector<std::string> names_in_memory(const os::module& in,
                                         std::span<const std::uintptr_t> addresses,
                                         std::chrono::steady_clock::time_point deadline) {
  const memory_source from;
  const auto found = table_in_memory(from, in);
  if (!found) return std::vector<std::string>(addresses.size());
  return names_of(from, in, *found, addresses, deadline);
}

std::vector<std::string> names_in_tables(const os::module& in,
                                         std::span<const std::uintptr_t> addresses,
                                         std::chrono::steady_clock::time_point deadline) {
  // The loader's where that was given the program to run.
  if (in.kind == os::module_kind::executable) {
    if (auto names = names_in_file("/proc/self/exe", in, addresses, deadline))
      return *std::move(names);
  }
  if (in.kind != os::module_kind::vdso) {
    if (auto names = names_in_file(in.path, in, addresses, deadline)) return *std::move(names);
  }
  return names_in_memory(in, addresses, deadline);
}

}  // namespace gmr::symbolize
