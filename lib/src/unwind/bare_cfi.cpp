#include "unwind/bare_cfi.hpp"

#include <dwarf.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>

#include "os/arch/machine.hpp"
#include "os/memory.hpp"
#include "unwind/cfi_reader.hpp"

namespace gmr::unwind {
namespace {

using word = cfi_reader::word;
using signed_word = cfi_reader::signed_word;

// Says on arm64 that return addresses are signed from there on, or no more; has no operand. They
// are taken without their signature anyway.
constexpr std::uint8_t changes_signing = 0x2d;

constexpr std::size_t longest_entry = 4096;  // of a frame description; longer ones are left alone

// One entry of .eh_frame without its length.
class cfi_entry final {
 public:
  explicit cfi_entry(word address) noexcept {
    std::uint32_t size = 0;
    if (!os::read_object(address, size) || size == 0 || size > bytes_.size() ||
        !os::read_memory(address + sizeof size, {bytes_.data(), size}))
      return;
    size_ = size;
    address_ = address + sizeof size;
  }
  [[nodiscard]] cfi_reader read() const { return {{bytes_.data(), size_}, address_}; }
  [[nodiscard]] word address() const { return address_; }

 private:
  std::array<std::byte, longest_entry> bytes_;
  std::size_t size_ = 0;
  word address_ = 0;
};

// What descriptions of frames have in common.
struct cfi_common {
  word code_step = 1;
  signed_word data_step = 1;
  word return_register = 0;
  std::uint8_t pointers = DW_EH_PE_absptr;
  bool has_augmentation = false;
  bool is_signal = false;
};

// What the letters after 'z' say; one that is not known ends it, since what it stands for has an
// unknown size.
void read_augmentation(cfi_reader& in, std::span<const char> letters, cfi_common& out) {
  for (const char letter : letters) {
    switch (letter) {
      case 'R':
        out.pointers = in.byte();
        break;
      case 'P': {
        const std::uint8_t encoding = in.byte() & 0x0fU;
        static_cast<void>(in.pointer(encoding));
        break;
      }
      case 'L':
        in.byte();
        break;
      case 'S':
        out.is_signal = true;
        break;
      case 'B':
        break;
      default:
        in.fail();
    }
  }
}

// Leaves the reader at the instructions. False when there is something that is not understood.
bool read_common(cfi_reader& in, cfi_common& out) {
  if (in.fixed<std::uint32_t>() != 0) return false;  // it is no common entry
  const std::uint8_t version = in.byte();
  std::array<char, 8> letters{};
  std::size_t count = 0;
  for (char each = static_cast<char>(in.byte()); each != 0 && in.ok();
       each = static_cast<char>(in.byte())) {
    if (count == letters.size()) return false;
    letters[count++] = each;
  }
  out.code_step = in.unsigned_leb();
  out.data_step = in.signed_leb();
  out.return_register = version == 1 ? in.byte() : in.unsigned_leb();
  if (count == 0) return in.ok();
  if (letters[0] != 'z') return false;
  out.has_augmentation = true;
  const word size = in.unsigned_leb();
  const word begin = in.address();
  cfi_reader inside{in.take(size), begin};
  read_augmentation(inside, std::span{letters}.subspan(1, count - 1), out);
  return in.ok() && inside.ok();
}

// Of the steps that damaged memory names, the product may not fit: it wraps.
signed_word product(signed_word steps, signed_word size) noexcept {
  return static_cast<signed_word>(static_cast<word>(steps) * static_cast<word>(size));
}

struct cfi_rule {
  enum class kind : std::uint8_t { same, undefined, saved, other };
  kind how = kind::same;
  signed_word offset = 0;  // saved: from the CFA
};

struct cfi_rules {
  word cfa_register = 0;
  signed_word cfa_offset = 0;
  bool cfa_is_computed = false;
  std::array<cfi_rule, capture::register_count> registers{};
};

// Carries the instructions out, up to the place of `target`.
class cfi_program final {
 public:
  cfi_program(const cfi_common& shared, word begin, word target)
      : common_(shared), place_(begin), target_(target) {}

  bool run(cfi_reader in) {
    while (!in.at_end() && place_ <= target_)
      if (!step(in)) return false;
    return in.ok();
  }
  void begin_function() { initial_ = now_; }
  [[nodiscard]] const cfi_rules& now() const { return now_; }

 private:
  bool step(cfi_reader& in) {
    const std::uint8_t code = in.byte();
    const word low = code & 0x3fU;
    switch (code & 0xc0U) {
      case DW_CFA_advance_loc:
        return advance(low);
      case DW_CFA_offset:
        return save(low, product(static_cast<signed_word>(in.unsigned_leb()), common_.data_step));
      case DW_CFA_restore:
        return restore(low);
      default:
        return extended(code, in);
    }
  }

  bool extended(std::uint8_t code, cfi_reader& in) {
    switch (code) {
      case DW_CFA_nop:
        return true;
      case DW_CFA_set_loc:
        place_ = in.pointer(common_.pointers);
        return true;
      case DW_CFA_advance_loc1:
        return advance(in.byte());
      case DW_CFA_advance_loc2:
        return advance(in.fixed<std::uint16_t>());
      case DW_CFA_advance_loc4:
        return advance(in.fixed<std::uint32_t>());
      case DW_CFA_remember_state:
        if (depth_ == remembered_.size()) return false;
        remembered_[depth_++] = now_;
        return true;
      case DW_CFA_restore_state:
        if (depth_ == 0) return false;
        now_ = remembered_[--depth_];
        return true;
      case DW_CFA_GNU_args_size:
        in.unsigned_leb();
        return true;
      case changes_signing:
        return os::arch::signs_return_addresses;
      default:
        return frame_rule(code, in) || register_rule_of(code, in);
    }
  }

  bool frame_rule(std::uint8_t code, cfi_reader& in) {
    switch (code) {
      case DW_CFA_def_cfa:
        now_.cfa_register = in.unsigned_leb();
        return set_offset(static_cast<signed_word>(in.unsigned_leb()));
      case DW_CFA_def_cfa_sf:
        now_.cfa_register = in.unsigned_leb();
        return set_offset(product(in.signed_leb(), common_.data_step));
      case DW_CFA_def_cfa_register:
        now_.cfa_register = in.unsigned_leb();
        return set_offset(now_.cfa_offset);
      case DW_CFA_def_cfa_offset:
        return set_offset(static_cast<signed_word>(in.unsigned_leb()));
      case DW_CFA_def_cfa_offset_sf:
        return set_offset(product(in.signed_leb(), common_.data_step));
      case DW_CFA_def_cfa_expression:
        in.take(in.unsigned_leb());
        now_.cfa_is_computed = true;
        return true;
      default:
        return false;
    }
  }

  bool register_rule_of(std::uint8_t code, cfi_reader& in) {
    const word number = in.unsigned_leb();
    switch (code) {
      case DW_CFA_offset_extended:
        return save(number,
                    product(static_cast<signed_word>(in.unsigned_leb()), common_.data_step));
      case DW_CFA_offset_extended_sf:
        return save(number, product(in.signed_leb(), common_.data_step));
      case DW_CFA_restore_extended:
        return restore(number);
      case DW_CFA_undefined:
        return set(number, {cfi_rule::kind::undefined, 0});
      case DW_CFA_same_value:
        return set(number, {cfi_rule::kind::same, 0});
      case DW_CFA_register:
      case DW_CFA_val_offset:
        in.unsigned_leb();
        return set(number, {cfi_rule::kind::other, 0});
      case DW_CFA_val_offset_sf:
        in.signed_leb();
        return set(number, {cfi_rule::kind::other, 0});
      case DW_CFA_expression:
      case DW_CFA_val_expression:
        in.take(in.unsigned_leb());
        return set(number, {cfi_rule::kind::other, 0});
      default:
        return false;
    }
  }

  bool advance(word steps) {
    place_ += steps * common_.code_step;
    return true;
  }
  bool set_offset(signed_word offset) {
    now_.cfa_offset = offset;
    now_.cfa_is_computed = false;
    return true;
  }
  // Of registers that no call preserves nothing is kept.
  bool set(word number, cfi_rule given) {
    if (number < now_.registers.size()) now_.registers[number] = given;
    return true;
  }
  bool save(word number, signed_word offset) {
    return set(number, {cfi_rule::kind::saved, offset});
  }
  bool restore(word number) {
    return set(number,
               number < initial_.registers.size() ? initial_.registers[number] : cfi_rule{});
  }

  const cfi_common& common_;
  word place_;
  word target_;
  cfi_rules now_;
  cfi_rules initial_;
  std::array<cfi_rules, 8> remembered_;
  std::size_t depth_ = 0;
};

// Where the description of the last function that begins at or before `address` is; 0: there is
// none.
word find_description(word table, word address) noexcept {
  struct {
    std::uint8_t version, frames, count, entries;
  } encodings{};
  std::uint32_t count = 0;
  constexpr word count_at = 8;
  if (!os::read_object(table, encodings) || !os::read_object(table + count_at, count) ||
      encodings.version != 1 || encodings.count != DW_EH_PE_udata4 ||
      encodings.entries != (DW_EH_PE_datarel | DW_EH_PE_sdata4) ||
      (encodings.frames & 0x0fU) != DW_EH_PE_sdata4)
    return 0;
  struct {
    std::int32_t start, description;
  } found{};
  const word first = table + count_at + sizeof count;
  const auto target = static_cast<signed_word>(address - table);
  word low = 0;
  for (word high = count; low < high;) {  // the first that begins after it
    const word middle = low + (high - low) / 2;
    if (!os::read_object(first + middle * sizeof found, found)) return 0;
    if (found.start <= target)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0 || !os::read_object(first + (low - 1) * sizeof found, found)) return 0;
  return table + static_cast<word>(signed_word{found.description});
}

std::optional<std::int32_t> offset_of(const cfi_rule& of) {
  switch (of.how) {
    case cfi_rule::kind::same:
      return row::same_value;
    case cfi_rule::kind::undefined:
      return row::undefined;
    case cfi_rule::kind::saved:
      if (of.offset > INT32_MAX || of.offset < -(1 << 30)) return std::nullopt;
      return static_cast<std::int32_t>(of.offset);
    case cfi_rule::kind::other:
      break;
  }
  return std::nullopt;
}

row row_of(const cfi_rules& from, word return_register) {
  row made;
  made.kind = row_kind::unsupported;
  if (return_register >= from.registers.size()) return made;
  const cfi_rule& caller = from.registers[return_register];
  if (caller.how == cfi_rule::kind::undefined) made.kind = row_kind::outermost;
  const auto return_offset = offset_of(caller);
  const cfi_rule& sp = from.registers[capture::sp_register];
  if (made.kind == row_kind::outermost || from.cfa_is_computed || !return_offset ||
      from.cfa_register >= from.registers.size() || from.cfa_offset > INT32_MAX ||
      from.cfa_offset < INT32_MIN || sp.how != cfi_rule::kind::same)
    return made;
  made.cfa_register = static_cast<std::uint8_t>(from.cfa_register);
  made.cfa_offset = static_cast<std::int32_t>(from.cfa_offset);
  made.return_offset = *return_offset;
  for (std::size_t i = 0; i < preserved_registers.size(); ++i) {
    const auto saved = offset_of(from.registers[preserved_registers[i]]);
    if (!saved) return made;
    made.saved[i] = *saved;
  }
  made.kind = row_kind::simple;
  return made;
}

}  // namespace

row find_bare_row(std::uintptr_t frame_table, std::uintptr_t address) noexcept {
  row nothing;
  const word at = find_description(frame_table, address);
  if (at == 0) return nothing;
  const cfi_entry description{at};
  cfi_reader in = description.read();
  const word distance = in.fixed<std::uint32_t>();
  if (!in.ok() || distance == 0) return nothing;
  const cfi_entry shared{description.address() - distance};
  cfi_reader initial = shared.read();
  cfi_common all;
  nothing.kind = row_kind::unsupported;
  if (!read_common(initial, all)) return nothing;

  const word begin = in.pointer(all.pointers);
  const word size = in.pointer(all.pointers & 0x0fU);
  nothing.kind = row_kind::missing;
  if (!in.ok() || address < begin || address - begin >= size) return nothing;
  if (all.has_augmentation) in.take(in.unsigned_leb());

  nothing.kind = row_kind::unsupported;
  nothing.signal = all.is_signal;
  if (all.is_signal) return nothing;
  cfi_program program{all, begin, address};
  if (!program.run(initial)) return nothing;
  program.begin_function();
  if (!program.run(in)) return nothing;
  return row_of(program.now(), all.return_register);
}

}  // namespace gmr::unwind
