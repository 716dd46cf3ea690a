#include "symbolize/helper/line_program.hpp"

#include <dwarf.h>

#include <algorithm>
#include <cstring>

namespace gmr::symbolize {
namespace {

std::string_view text_at(section_bytes bytes) {
  const auto end = std::find(bytes.begin(), bytes.end(), 0);
  return {reinterpret_cast<const char*>(bytes.data()),
          static_cast<std::size_t>(end - bytes.begin())};
}

}  // namespace

// Reads values one after the other; behind the end they are 0, and it is not good any more.
class line_program::cursor final {
 public:
  explicit cursor(section_bytes bytes) : rest_(bytes) {}

  template <class T>
  T fixed() {
    T value{};
    const section_bytes bytes = take(sizeof value);
    if (bytes.size() == sizeof value) std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  std::uint64_t unsigned_number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = fixed<std::uint8_t>();
      if (shift < 64) value |= std::uint64_t{byte & 0x7fU} << shift;
      if ((byte & 0x80U) == 0) return value;
    }
  }
  std::int64_t signed_number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0;;) {
      const auto byte = fixed<std::uint8_t>();
      if (shift < 64) value |= std::uint64_t{byte & 0x7fU} << shift;
      shift += 7;
      if ((byte & 0x80U) != 0) continue;
      if (shift < 64 && (byte & 0x40U) != 0) value |= ~std::uint64_t{0} << shift;
      return static_cast<std::int64_t>(value);
    }
  }
  std::uint64_t offset(bool wide) { return wide ? fixed<std::uint64_t>() : fixed<std::uint32_t>(); }
  std::string_view text() {
    const std::string_view value = text_at(rest_);
    take(value.size() + 1);
    return value;
  }
  section_bytes take(std::uint64_t size) {
    if (size > rest_.size()) {
      rest_ = {};
      good_ = false;
      return {};
    }
    const section_bytes taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  [[nodiscard]] bool is_good() const noexcept { return good_; }
  [[nodiscard]] bool is_at_end() const noexcept { return rest_.empty(); }
  [[nodiscard]] section_bytes rest() const noexcept { return rest_; }

 private:
  section_bytes rest_;
  bool good_ = true;
};

// What a file or folder consists of, since DWARF 5.
struct line_program::entry_format {
  std::uint64_t content = 0;
  std::uint64_t form = 0;
};
struct line_program::entry_value {
  std::string_view text;
  std::uint64_t number = 0;
};

std::string_view line_program::string_in(section_bytes strings, std::uint64_t offset) const {
  return offset < strings.size() ? text_at(strings.subspan(offset)) : std::string_view{};
}

// False for a form that does not stand in these tables.
bool line_program::read_value(cursor& at, std::uint64_t form, entry_value& value) const {
  switch (form) {
    case DW_FORM_string:
      value.text = at.text();
      return true;
    case DW_FORM_line_strp:
      value.text = string_in(sections_.line_strings, at.offset(is_wide_));
      return true;
    case DW_FORM_strp:
      value.text = string_in(sections_.strings, at.offset(is_wide_));
      return true;
    case DW_FORM_udata:
      value.number = at.unsigned_number();
      return true;
    case DW_FORM_data1:
      value.number = at.fixed<std::uint8_t>();
      return true;
    case DW_FORM_data2:
      value.number = at.fixed<std::uint16_t>();
      return true;
    case DW_FORM_data4:
      value.number = at.fixed<std::uint32_t>();
      return true;
    case DW_FORM_data8:
      value.number = at.fixed<std::uint64_t>();
      return true;
    case DW_FORM_data16:
      at.take(16);
      return true;
    case DW_FORM_block:
      at.take(at.unsigned_number());
      return true;
    default:
      return false;
  }
}

template <class Take>
bool line_program::read_entries(cursor& at, Take take) {
  std::vector<entry_format> formats(at.fixed<std::uint8_t>());
  for (entry_format& each : formats) {
    each.content = at.unsigned_number();
    each.form = at.unsigned_number();
  }
  const std::uint64_t count = at.unsigned_number();
  if (count > at.rest().size() || (count != 0 && formats.empty())) return false;
  for (std::uint64_t i = 0; i < count && at.is_good(); ++i) {
    std::string_view name;
    std::uint64_t folder = 0;
    for (const entry_format& each : formats) {
      entry_value value;
      if (!read_value(at, each.form, value)) return false;
      if (each.content == DW_LNCT_path) name = value.text;
      if (each.content == DW_LNCT_directory_index) folder = value.number;
    }
    take(name, folder);
  }
  return at.is_good();
}

bool line_program::read_files(cursor& at) {
  const bool good =
      read_entries(at, [&](std::string_view name, std::uint64_t) { folders_.push_back(name); });
  return good && read_entries(at, [&](std::string_view name, std::uint64_t folder) {
           files_.push_back(
               {folder < folders_.size() ? folders_[folder] : std::string_view{}, name});
         });
}

// Up to DWARF 4 the unit's folder and its first file are not written down.
bool line_program::read_old_files(cursor& at, std::string_view unit_folder) {
  folders_.push_back(unit_folder);
  files_.emplace_back();
  for (std::string_view name = at.text(); !name.empty(); name = at.text())
    folders_.push_back(name);
  for (std::string_view name = at.text(); !name.empty(); name = at.text()) {
    const std::uint64_t folder = at.unsigned_number();
    at.unsigned_number();  // time
    at.unsigned_number();  // size
    files_.push_back({folder < folders_.size() ? folders_[folder] : std::string_view{}, name});
  }
  return at.is_good();
}

bool line_program::read_header(cursor& at) {
  least_instruction_ = at.fixed<std::uint8_t>();
  operations_ = version_ >= 4 ? at.fixed<std::uint8_t>() : std::uint8_t{1};
  at.fixed<std::uint8_t>();  // whether rows begin statements at first
  line_base_ = at.fixed<std::int8_t>();
  line_range_ = at.fixed<std::uint8_t>();
  opcode_base_ = at.fixed<std::uint8_t>();
  if (line_range_ == 0 || opcode_base_ == 0 || operations_ != 1) return false;
  argument_counts_ = at.take(opcode_base_ - 1U);
  return at.is_good();
}

bool line_program::open(const line_sections& sections, std::uint64_t offset,
                        std::string_view unit_folder) {
  constexpr std::uint32_t wide = 0xffffffff;
  sections_ = sections;
  if (offset >= sections.lines.size()) return false;
  cursor all{sections.lines.subspan(offset)};
  std::uint64_t size = all.fixed<std::uint32_t>();
  is_wide_ = size == wide;
  if (is_wide_) size = all.fixed<std::uint64_t>();
  cursor unit{all.take(size)};
  if (!all.is_good()) return false;
  version_ = unit.fixed<std::uint16_t>();
  if (version_ < 2 || version_ > 5) return false;
  if (version_ == 5) unit.take(2);  // sizes of addresses and of segments
  const std::uint64_t header_size = unit.offset(is_wide_);
  cursor header{unit.take(header_size)};
  program_ = unit.rest();
  return unit.is_good() && read_header(header) &&
         (version_ == 5 ? read_files(header) : read_old_files(header, unit_folder));
}

line_program::file_name line_program::file(std::uint64_t number) const {
  return number < files_.size() ? files_[number] : file_name{};
}

// The registers of the machine that the program is written for, and who waits for which address.
class line_program::machine final {
 public:
  machine(std::span<const std::uintptr_t> addresses, std::vector<found_line>& found)
      : addresses_(addresses), found_(found) {}

  std::uint64_t address = 0;
  std::uint64_t file = 1;
  std::uint64_t line = 1;

  void add_row() {
    if (!in_sequence_) {
      in_sequence_ = true;
      is_dropped_ = address == 0;
      at_ = address;
    }
    pass_to(address);
    if (line != 0) now_ = {file, static_cast<std::uint32_t>(line)};
  }
  void end_sequence() {
    if (in_sequence_) pass_to(address);
    in_sequence_ = false;
    now_ = {};
    address = 0;
    file = 1;
    line = 1;
  }

 private:
  // What lies before belongs to the row that was. Functions that the linker dropped begin at 0.
  void pass_to(std::uint64_t next) {
    if (next <= at_) return;
    if (!is_dropped_ && now_.line != 0) {
      auto each = std::lower_bound(addresses_.begin(), addresses_.end(), at_);
      for (; each != addresses_.end() && *each < next; ++each)
        found_[static_cast<std::size_t>(each - addresses_.begin())] = now_;
    }
    at_ = next;
  }

  std::span<const std::uintptr_t> addresses_;
  std::vector<found_line>& found_;
  std::uint64_t at_ = 0;
  bool in_sequence_ = false;
  bool is_dropped_ = false;
  found_line now_;
};

void line_program::run_extended(cursor& at, machine& state) {
  cursor operation{at.take(at.unsigned_number())};
  const auto code = operation.fixed<std::uint8_t>();
  if (code == DW_LNE_end_sequence)
    state.end_sequence();
  else if (code == DW_LNE_set_address)
    state.address = operation.rest().size() == 4 ? operation.fixed<std::uint32_t>()
                                                 : operation.fixed<std::uint64_t>();
}

void line_program::run_special(unsigned opcode, machine& state) const {
  const unsigned adjusted = opcode - opcode_base_;
  state.address += std::uint64_t{adjusted / line_range_} * least_instruction_;
  state.line += static_cast<std::uint64_t>(line_base_ + static_cast<int>(adjusted % line_range_));
  state.add_row();
}

void line_program::run_standard(unsigned opcode, cursor& at, machine& state) const {
  switch (opcode) {
    case DW_LNS_copy:
      return state.add_row();
    case DW_LNS_advance_pc:
      state.address += at.unsigned_number() * least_instruction_;
      return;
    case DW_LNS_advance_line:
      state.line += static_cast<std::uint64_t>(at.signed_number());
      return;
    case DW_LNS_set_file:
      state.file = at.unsigned_number();
      return;
    case DW_LNS_const_add_pc:
      state.address += std::uint64_t{(255U - opcode_base_) / line_range_} * least_instruction_;
      return;
    case DW_LNS_fixed_advance_pc:
      state.address += at.fixed<std::uint16_t>();
      return;
    default:
      for (unsigned i = 0; i < argument_counts_[opcode - 1U]; ++i)
        at.unsigned_number();
  }
}

std::vector<found_line> line_program::find(std::span<const std::uintptr_t> addresses) const {
  std::vector<found_line> found(addresses.size());
  machine state{addresses, found};
  cursor at{program_};
  while (!at.is_at_end()) {
    const auto opcode = at.fixed<std::uint8_t>();
    if (opcode >= opcode_base_)
      run_special(opcode, state);
    else if (opcode == 0)
      run_extended(at, state);
    else
      run_standard(opcode, at, state);
  }
  return found;
}

}  // namespace gmr::symbolize
