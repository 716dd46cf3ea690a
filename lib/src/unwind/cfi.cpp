// Compiles rows from .eh_frame.
#include "unwind/cfi.hpp"

#include <dwarf.h>

#include <cstdlib>
#include <limits>
#include <memory>
#include <optional>
#include <span>

#include "os/arch/machine.hpp"

namespace gmr::unwind {
namespace {

struct free_frame {
  void operator()(Dwarf_Frame* frame) const noexcept { std::free(frame); }
};
using frame_pointer = std::unique_ptr<Dwarf_Frame, free_frame>;

expression copy(std::span<const Dwarf_Op> ops) {
  expression code;
  code.reserve(ops.size());
  for (const Dwarf_Op& op : ops)
    code.push_back({op.atom, op.number, op.number2, op.offset});
  return code;
}

std::optional<std::int32_t> narrow(Dwarf_Word offset) {
  const auto value = static_cast<std::int64_t>(offset);
  if (value > std::numeric_limits<std::int32_t>::max() || value < -(1 << 30)) return std::nullopt;
  return static_cast<std::int32_t>(value);
}

register_rule rule_of(Dwarf_Frame* frame, unsigned number) {
  register_rule rule;
  Dwarf_Op memory[3];
  Dwarf_Op* ops = nullptr;
  std::size_t count = 0;
  if (::dwarf_frame_register(frame, static_cast<int>(number), memory, &ops, &count) != 0)
    return rule;
  using kind = register_rule::kind;
  if (count == 0) {
    rule.how =
        ops == nullptr || os::arch::is_kept_by_default(number) ? kind::same_value : kind::undefined;
  } else if (count == 1 && ops[0].atom == DW_OP_regx) {
    rule.how = kind::in_register;
    rule.source = static_cast<unsigned>(ops[0].number);
  } else {
    rule.code = copy({ops, count});
    rule.how = rule.code.back().code == DW_OP_stack_value ? kind::is : kind::at;
  }
  return rule;
}

// The distance from the CFA when the rule is "saved there", or one of row's two marks.
std::optional<std::int32_t> simple_offset(const register_rule& rule) {
  if (rule.how == register_rule::kind::same_value) return row::same_value;
  if (rule.how == register_rule::kind::undefined) return row::undefined;
  if (rule.how != register_rule::kind::at || rule.code.front().code != DW_OP_call_frame_cfa)
    return std::nullopt;
  if (rule.code.size() == 1) return 0;
  if (rule.code.size() != 2 || rule.code[1].code != DW_OP_plus_uconst) return std::nullopt;
  return narrow(rule.code[1].first);
}

// Whether the caller's sp is the CFA, as it is for all code that compilers make.
bool stack_pointer_is_cfa(const register_rule& rule) {
  using kind = register_rule::kind;
  return rule.how == kind::undefined || rule.how == kind::same_value ||
         (rule.how == kind::is && rule.code.size() == 2 &&
          rule.code[0].code == DW_OP_call_frame_cfa);
}

bool make_simple(const complex_row& from, row& to) {
  if (from.cfa.size() != 1 || from.cfa[0].code != DW_OP_bregx) return false;
  const auto offset = narrow(from.cfa[0].second);
  const auto caller = simple_offset(from.rules[from.return_register]);
  if (from.cfa[0].first >= capture::register_count || !offset || !caller ||
      *caller == row::same_value || !stack_pointer_is_cfa(from.rules[capture::sp_register]))
    return false;
  to.cfa_register = static_cast<std::uint8_t>(from.cfa[0].first);
  to.cfa_offset = *offset;
  to.return_offset = *caller;
  for (std::size_t i = 0; i < preserved_registers.size(); ++i) {
    const auto saved = simple_offset(from.rules[preserved_registers[i]]);
    if (!saved) return false;
    to.saved[i] = *saved;
  }
  return true;
}

bool is_outermost(const complex_row& from) {
  return from.rules[from.return_register].how == register_rule::kind::undefined;
}

}  // namespace

cfi::cfi(const os::module& loaded) : image_(elf_image::of(loaded, elf_image::access::read)) {
  if (image_.get() == nullptr) return;
  cfi_ = ::dwarf_getcfi_elf(image_.get());  // reads all of it
  image_.close_file();
}

cfi::~cfi() {
  if (cfi_ != nullptr) ::dwarf_cfi_end(cfi_);
}

row cfi::compile(std::uintptr_t address, std::vector<complex_row>& complex) const {
  row result;
  Dwarf_Frame* raw = nullptr;
  if (cfi_ == nullptr || ::dwarf_cfi_addrframe(cfi_, address, &raw) != 0) return result;
  const frame_pointer frame{raw};
  complex_row full;
  Dwarf_Addr start = 0;
  const int return_register = ::dwarf_frame_info(frame.get(), &start, nullptr, &result.signal);
  result.starts_here = start == address;
  Dwarf_Op* ops = nullptr;
  std::size_t count = 0;
  result.kind = row_kind::unsupported;
  if (return_register < 0 || return_register >= static_cast<int>(capture::register_count) ||
      ::dwarf_frame_cfa(frame.get(), &ops, &count) != 0 || count == 0)
    return result;
  full.return_register = static_cast<unsigned>(return_register);
  full.cfa = copy({ops, count});
  for (unsigned number = 0; number < capture::register_count; ++number)
    full.rules[number] = rule_of(frame.get(), number);

  if (is_outermost(full)) {
    result.kind = row_kind::outermost;
  } else if (!result.signal && make_simple(full, result)) {
    result.kind = row_kind::simple;
  } else {
    result.kind = row_kind::complex;
    result.complex_index = static_cast<std::uint32_t>(complex.size());
    complex.push_back(std::move(full));
  }
  return result;
}

}  // namespace gmr::unwind
