// A small stack machine; a jump counts as a step, so that loops end.
#include "unwind/evaluate.hpp"

#include <dwarf.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace gmr::unwind {
namespace {

using word = std::uintptr_t;
using signed_word = std::intptr_t;

class machine final {
 public:
  machine(const walk_state& state, std::optional<word> cfa, const stack_memory& memory)
      : state_(state), cfa_(cfa), memory_(memory) {}

  std::optional<word> run(const expression& code) {
    constexpr int most_steps = 1000;
    std::size_t at = 0;
    for (int steps = 0; at < code.size(); ++steps) {
      const operation& op = code[at];
      if (steps == most_steps) return std::nullopt;
      if (op.code == DW_OP_stack_value) break;
      if (op.code == DW_OP_skip || op.code == DW_OP_bra) {
        if (!jump(code, at)) return std::nullopt;
        continue;
      }
      if (!push_operation(op) && !binary(op.code) && !unary(op)) return std::nullopt;
      if (failed_) return std::nullopt;
      ++at;
    }
    if (size_ == 0) return std::nullopt;
    return stack_[size_ - 1];
  }

 private:
  bool jump(const expression& code, std::size_t& at) {
    const operation& op = code[at];
    const bool taken = op.code == DW_OP_skip || pop() != 0;
    if (failed_) return false;
    if (!taken) {
      ++at;
      return true;
    }
    // libdw gives the distance from the operation's end: three bytes of encoding.
    const word target = op.position + 3 + op.first;
    const auto found = std::find_if(
        code.begin(), code.end(), [&](const operation& other) { return other.position == target; });
    at = static_cast<std::size_t>(found - code.begin());
    return found != code.end();
  }

  bool push_operation(const operation& op) {
    if (op.code >= DW_OP_lit0 && op.code <= DW_OP_lit31) return push(op.code - word{DW_OP_lit0});
    if (op.code >= DW_OP_breg0 && op.code <= DW_OP_breg31)
      return push_register(op.code - unsigned{DW_OP_breg0}, op.first);
    switch (op.code) {
      case DW_OP_bregx:
        return push_register(static_cast<unsigned>(op.first), op.second);
      case DW_OP_const1u:
      case DW_OP_const1s:
      case DW_OP_const2u:
      case DW_OP_const2s:
      case DW_OP_const4u:
      case DW_OP_const4s:
      case DW_OP_const8u:
      case DW_OP_const8s:
      case DW_OP_constu:
      case DW_OP_consts:
        return push(op.first);
      case DW_OP_call_frame_cfa:
        failed_ = failed_ || !cfa_;
        return push(cfa_.value_or(0));
      case DW_OP_dup:
        return push(peek(0));
      case DW_OP_over:
        return push(peek(1));
      case DW_OP_pick:
        return push(peek(op.first));
      default:
        return false;
    }
  }

  bool unary(const operation& op) {
    switch (op.code) {
      case DW_OP_nop:
        return true;
      case DW_OP_drop:
        pop();
        return true;
      case DW_OP_plus_uconst:
        return push(pop() + op.first);
      case DW_OP_neg:
        return push(word{0} - pop());
      case DW_OP_not:
        return push(~pop());
      case DW_OP_abs: {
        const word value = pop();
        return push(static_cast<signed_word>(value) < 0 ? word{0} - value : value);
      }
      case DW_OP_deref:
        return dereference(sizeof(word));
      case DW_OP_deref_size:
        return dereference(op.first);
      case DW_OP_swap: {
        const word top = pop();
        const word below = pop();
        return push(top) && push(below);
      }
      default:
        return false;
    }
  }

  bool binary(std::uint8_t code) {
    if (!is_binary(code)) return false;
    const word right = pop();
    const word left = pop();
    return push(compute(code, left, right));
  }

  static bool is_binary(std::uint8_t code) {
    constexpr std::array codes{DW_OP_and, DW_OP_minus, DW_OP_mul,  DW_OP_or,  DW_OP_plus,
                               DW_OP_shl, DW_OP_shr,   DW_OP_shra, DW_OP_xor, DW_OP_eq,
                               DW_OP_ge,  DW_OP_gt,    DW_OP_le,   DW_OP_lt,  DW_OP_ne};
    return std::find(codes.begin(), codes.end(), code) != codes.end();
  }

  static word compute(std::uint8_t code, word left, word right) {
    const auto a = static_cast<signed_word>(left);
    const auto b = static_cast<signed_word>(right);
    switch (code) {
      case DW_OP_and:
        return left & right;
      case DW_OP_minus:
        return left - right;
      case DW_OP_mul:
        return left * right;
      case DW_OP_or:
        return left | right;
      case DW_OP_plus:
        return left + right;
      case DW_OP_xor:
        return left ^ right;
      case DW_OP_shl:
        return right < 64 ? left << right : 0;
      case DW_OP_shr:
        return right < 64 ? left >> right : 0;
      case DW_OP_shra:
        return static_cast<word>(a >> std::min<word>(right, 63));
      case DW_OP_eq:
        return a == b;
      case DW_OP_ge:
        return a >= b;
      case DW_OP_gt:
        return a > b;
      case DW_OP_le:
        return a <= b;
      case DW_OP_lt:
        return a < b;
      default:
        return a != b;
    }
  }

  bool dereference(word size) {
    word value = 0;
    if (size == 0 || size > sizeof value || !memory_.read(pop(), value)) failed_ = true;
    if (size != 0 && size < sizeof value) value &= (word{1} << (size * 8)) - 1;
    return push(value);
  }

  bool push_register(unsigned number, word offset) {
    failed_ = failed_ || !state_.knows(number);
    return push(failed_ ? 0 : state_[number] + offset);
  }

  bool push(word value) {
    if (size_ >= stack_.size()) failed_ = true;
    if (!failed_) stack_[size_++] = value;
    return true;
  }

  word pop() {
    if (size_ == 0 || failed_) {
      failed_ = true;
      return 0;
    }
    return stack_[--size_];
  }

  word peek(word depth) {
    if (depth >= size_ || failed_) {
      failed_ = true;
      return 0;
    }
    return stack_[size_ - 1 - depth];
  }

  const walk_state& state_;
  std::optional<word> cfa_;
  const stack_memory& memory_;
  std::array<word, 64> stack_{};
  std::size_t size_ = 0;
  bool failed_ = false;
};

}  // namespace

std::optional<std::uintptr_t> evaluate(const expression& code, const walk_state& state,
                                       std::optional<std::uintptr_t> cfa,
                                       const stack_memory& memory) {
  return machine{state, cfa, memory}.run(code);
}

}  // namespace gmr::unwind
