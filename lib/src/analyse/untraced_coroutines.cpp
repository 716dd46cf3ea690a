#include "analyse/untraced_coroutines.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "os/memory.hpp"

namespace gmr::analyse {
namespace {

using deadline_clock = std::chrono::steady_clock;
using module_pointer = untraced_coroutine_finder::module_pointer;

constexpr std::size_t most_bytes = std::size_t{32} << 20;
constexpr std::size_t chunk_bytes = std::size_t{256} << 10;

// Text that is not in this library's own memory as it is, where it would be found in every program.
template <std::size_t Size>
class hidden_text {
 public:
  consteval explicit hidden_text(const char (&text)[Size]) noexcept {
    std::transform(text, text + Size - 1, hidden_.begin(), [](char c) { return changed(c, key); });
  }

  [[nodiscard]] std::string shown() const {
    const volatile unsigned char kept_from_the_optimiser = key;
    std::string text(hidden_.begin(), hidden_.end());
    const unsigned char with = kept_from_the_optimiser;
    for (char& each : text)
      each = changed(each, with);
    return text;
  }

 private:
  static constexpr unsigned char key = 0x80;
  static constexpr char changed(char c, unsigned char with) noexcept {
    return static_cast<char>(static_cast<unsigned char>(c) ^ with);
  }

  std::array<char, Size - 1> hidden_{};
};

constexpr hidden_text name_of_header{"boost/asio/impl/awaitable.hpp"};
constexpr hidden_text name_of_type{"29co_spawn_cancellation_handlerI"};
constexpr hidden_text mark{"gmr: the coroutines of this module are traced"};

struct wanted_texts {
  const std::string header = name_of_header.shown();
  const std::string type = name_of_type.shown();
  const std::string traced = mark.shown();

  [[nodiscard]] std::size_t longest() const noexcept {
    return std::max({header.size(), type.size(), traced.size()});
  }
};

bool is_of_the_system(const os::module& loaded) {
  if (loaded.kind == os::module_kind::executable) return false;
  constexpr std::array<std::string_view, 4> folders{"/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/"};
  const std::string_view path = loaded.path;
  return loaded.kind == os::module_kind::vdso ||
         std::any_of(folders.begin(), folders.end(),
                     [&](std::string_view folder) { return path.starts_with(folder); });
}

// Where its read-only data is. Some linkers put it among the code.
std::vector<os::load_segment> read_only_data(const os::module& loaded) {
  std::vector<os::load_segment> data;
  for (const bool executable : {false, true}) {
    for (const os::load_segment& each : loaded.segments)
      if (!each.writable && each.executable == executable) data.push_back(each);
    if (!data.empty()) break;
  }
  return data;
}

bool has(std::span<const std::byte> bytes, const std::string& text) noexcept {
  return ::memmem(bytes.data(), bytes.size(), text.data(), text.size()) != nullptr;
}

enum class verdict { untraced, not_untraced, not_read };

class module_reader final {
 public:
  module_reader(const os::module& of, deadline_clock::time_point deadline)
      : of_(of), deadline_(deadline), bytes_(chunk_bytes + wanted_.longest()) {}

  verdict read() {
    const std::vector<os::load_segment> segments = read_only_data(of_);
    std::size_t all = 0;
    for (const os::load_segment& each : segments)
      all += each.file_size;
    if (all > most_bytes) return verdict::not_untraced;
    for (const os::load_segment& each : segments) {
      const verdict so_far = read(of_.base + each.address, each.file_size);
      if (so_far != verdict::untraced) return so_far;
    }
    return coroutines_ ? verdict::untraced : verdict::not_untraced;
  }

 private:
  // `untraced` as long as no mark is found.
  verdict read(std::uintptr_t address, std::size_t size) {
    for (std::size_t at = 0; at < size; at += chunk_bytes) {
      if (deadline_clock::now() >= deadline_) return verdict::not_read;
      // Chunks overlap by what a text may reach into the next.
      const std::span part = std::span{bytes_}.first(std::min(bytes_.size(), size - at));
      if (!os::read_memory(address + at, part)) return verdict::not_untraced;
      if (has(part, wanted_.traced)) return verdict::not_untraced;
      coroutines_ = coroutines_ || has(part, wanted_.header) || has(part, wanted_.type);
    }
    return verdict::untraced;
  }

  const wanted_texts wanted_;
  const os::module& of_;
  deadline_clock::time_point deadline_;
  std::vector<std::byte> bytes_;
  bool coroutines_ = false;
};

finding describe(const std::vector<std::string_view>& paths) {
  finding found;
  found.kind = finding_kind::tracing_inactive;
  found.text = "coroutines are not traced: ";
  for (std::size_t i = 0; i < paths.size(); ++i)
    found.text += (i == 0 ? "" : i + 1 == paths.size() ? " and " : ", ") + std::string{paths[i]};
  found.text += paths.size() == 1 ? " has" : " have";
  found.text +=
      " coroutines of Boost.Asio that were compiled without gmr::trace, so that none of them is in "
      "this report; link gmr::trace to every target that has some, or compile and link with "
      "$(pkg-config --cflags --libs gmr-trace)";
  return found;
}

}  // namespace

std::optional<finding> untraced_coroutine_finder::find(std::span<const module_pointer> loaded,
                                                       deadline_clock::time_point deadline) {
  std::map<module_pointer, bool> untraced;
  std::vector<std::string_view> paths;
  for (const module_pointer& each : loaded) {
    auto known = untraced_.extract(each);
    if (known.empty()) {
      const verdict now =
          is_of_the_system(*each) ? verdict::not_untraced : module_reader{*each, deadline}.read();
      if (now == verdict::not_read) continue;
      untraced.emplace(each, now == verdict::untraced);
    } else {
      untraced.insert(std::move(known));
    }
    if (untraced[each]) paths.push_back(each->path);
  }
  untraced_ = std::move(untraced);
  if (paths.empty()) return std::nullopt;
  return describe(paths);
}

}  // namespace gmr::analyse
