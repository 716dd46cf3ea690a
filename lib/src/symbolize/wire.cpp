#include "symbolize/wire.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace gmr::symbolize {
namespace {

using size_field = std::uint32_t;
constexpr std::size_t most_segments = 64;
constexpr std::size_t most_addresses = 1U << 16;
constexpr std::size_t most_places = 1024;
constexpr std::size_t longest_text = 64 * 1024;

class writer final {
 public:
  explicit writer(message_kind kind) : bytes_(sizeof(size_field), '\0') {
    bytes_.push_back(static_cast<char>(kind));
  }
  writer& number(std::uint64_t value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  writer& text(std::string_view value) {
    value = value.substr(0, longest_text);
    number(value.size());
    bytes_.append(value);
    return *this;
  }
  [[nodiscard]] std::string take() {
    const auto size = static_cast<size_field>(bytes_.size() - sizeof(size_field));
    std::memcpy(bytes_.data(), &size, sizeof size);
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
};

// Once something is missing or too large, all that follows is 0 and empty.
class reader final {
 public:
  explicit reader(std::string_view content) : rest_(content) {}

  std::uint64_t number(std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) {
    std::uint64_t value = 0;
    if (rest_.size() < sizeof value) return fail();
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value <= most ? value : fail();
  }
  template <class Enum>
  Enum choice(Enum last) {
    return static_cast<Enum>(number(static_cast<std::uint64_t>(last)));
  }
  bool flag() { return number(1) != 0; }
  std::string text() {
    const std::size_t size = number(longest_text);
    if (rest_.size() < size) return fail(), std::string{};
    std::string value{rest_.substr(0, size)};
    rest_.remove_prefix(size);
    return value;
  }
  // How many follow, of which each takes at least a number.
  std::size_t count(std::size_t most) {
    const std::size_t value = number(most);
    return value <= rest_.size() / sizeof(std::uint64_t) ? value : fail();
  }
  [[nodiscard]] bool is_whole() const noexcept { return good_ && rest_.empty(); }

 private:
  std::uint64_t fail() {
    good_ = false;
    rest_ = {};
    return 0;
  }

  std::string_view rest_;
  bool good_ = true;
};

}  // namespace

std::string to_message(const open_order& order) {
  writer to{message_kind::open};
  const os::module& in = order.module;
  to.number(static_cast<std::uint64_t>(order.level)).number(static_cast<std::uint64_t>(in.kind));
  to.text(in.path).text(in.build_id).number(in.base).number(in.start).number(in.segments.size());
  for (const os::load_segment& each : in.segments) {
    to.number(each.address).number(each.file_offset).number(each.file_size);
    to.number(each.memory_size);
  }
  return to.take();
}

bool parse(std::string_view content, open_order& order) {
  reader from{content};
  os::module& in = order.module;
  order.level = from.choice(name_level::none);
  in.kind = from.choice(os::module_kind::vdso);
  in.path = from.text();
  in.build_id = from.text();
  in.base = from.number();
  in.start = from.number();
  in.segments.resize(from.count(most_segments));
  for (os::load_segment& each : in.segments) {
    each.address = from.number();
    each.file_offset = from.number();
    each.file_size = from.number();
    each.memory_size = from.number();
  }
  return from.is_whole();
}

std::string to_message(const locate_order& order) {
  writer to{message_kind::locate};
  to.number(order.addresses.size());
  for (const std::uintptr_t each : order.addresses)
    to.number(each);
  return to.take();
}

bool parse(std::string_view content, locate_order& order) {
  reader from{content};
  order.addresses.resize(from.count(most_addresses));
  for (std::uintptr_t& each : order.addresses)
    each = from.number();
  return from.is_whole();
}

std::string to_message(const demangle_order& order) {
  writer to{message_kind::demangle};
  to.number(order.symbols.size());
  for (const std::string& each : order.symbols)
    to.text(each);
  return to.take();
}

bool parse(std::string_view content, demangle_order& order) {
  reader from{content};
  order.symbols.resize(from.count(most_addresses));
  for (std::string& each : order.symbols)
    each = from.text();
  return from.is_whole();
}

std::string to_message(const opened_answer& answer) {
  return writer{message_kind::opened}
      .number(static_cast<std::uint64_t>(answer.file))
      .number(static_cast<std::uint64_t>(answer.error))
      .number(answer.has_debug_information ? 1 : 0)
      .text(answer.problem)
      .take();
}

bool parse(std::string_view content, opened_answer& answer) {
  reader from{content};
  answer.file = from.choice(module_file::missing);
  answer.error = static_cast<int>(from.number(std::numeric_limits<int>::max()));
  answer.has_debug_information = from.flag();
  answer.problem = from.text();
  return from.is_whole();
}

std::string to_message(const reading_answer& answer) {
  writer to{message_kind::reading};
  to.number(answer.indexes.size());
  for (const std::size_t each : answer.indexes)
    to.number(each);
  return to.take();
}

bool parse(std::string_view content, reading_answer& answer) {
  reader from{content};
  answer.indexes.resize(from.count(most_addresses));
  for (std::size_t& each : answer.indexes)
    each = from.number();
  return from.is_whole();
}

std::string to_message(const found_answer& answer) {
  writer to{message_kind::found};
  // What does not fit is cut off on the outer side.
  std::size_t count = 0;
  std::size_t size = 0;
  for (; count < answer.places.size() && count < most_places; ++count) {
    const place& each = answer.places[count];
    size += 4 * sizeof(std::uint64_t) + std::min(each.function.size(), longest_text) +
            std::min(each.file.size(), longest_text);
    if (size > message_splitter::largest / 2) break;
  }
  to.number(answer.index).number(count);
  for (std::size_t i = 0; i < count; ++i) {
    const place& each = answer.places[i];
    to.number(each.line).number(each.inlined ? 1 : 0).text(each.function).text(each.file);
  }
  return to.take();
}

bool parse(std::string_view content, found_answer& answer) {
  reader from{content};
  answer.index = from.number();
  answer.places.resize(from.count(most_places));
  for (place& each : answer.places) {
    each.line = static_cast<std::uint32_t>(from.number(std::numeric_limits<std::uint32_t>::max()));
    each.inlined = from.flag();
    each.function = from.text();
    each.file = from.text();
  }
  return from.is_whole();
}

std::string finished_message() {
  return writer{message_kind::finished}.take();
}

std::optional<message> message_splitter::next() {
  const std::string_view rest = std::string_view{bytes_}.substr(taken_);
  size_field size = 0;
  if (is_broken_ || rest.size() < sizeof size) {
    bytes_.erase(0, taken_);
    taken_ = 0;
    return std::nullopt;
  }
  std::memcpy(&size, rest.data(), sizeof size);
  if (size == 0 || size > largest ||
      (rest.size() > sizeof size && static_cast<unsigned char>(rest[sizeof size]) >
                                        static_cast<unsigned char>(message_kind::finished))) {
    is_broken_ = true;
    return std::nullopt;
  }
  if (rest.size() < sizeof size + size) {
    bytes_.erase(0, taken_);
    taken_ = 0;
    return std::nullopt;
  }
  taken_ += sizeof size + size;
  const std::string_view whole = rest.substr(sizeof size, size);
  return message{static_cast<message_kind>(whole.front()), whole.substr(1)};
}

}  // namespace gmr::symbolize
