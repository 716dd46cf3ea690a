// Takes numbers in the encodings of .eh_frame off bytes that are in memory already. Allocates
// nothing.
#pragma once

#include <dwarf.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "os/memory.hpp"

namespace gmr::unwind {

// Bytes of the tables and where they are in memory. Reading beyond the end gives 0, and is noted.
class cfi_reader final {
 public:
  using word = std::uintptr_t;
  using signed_word = std::intptr_t;

  cfi_reader(std::span<const std::byte> bytes, word address) : bytes_(bytes), address_(address) {}

  [[nodiscard]] bool ok() const { return !failed_; }
  [[nodiscard]] bool at_end() const { return failed_ || at_ == bytes_.size(); }
  [[nodiscard]] word address() const { return address_ + at_; }

  template <class Number>
  Number fixed() {
    Number value{};
    if (bytes_.size() - at_ < sizeof value) {
      failed_ = true;
      return {};
    }
    std::memcpy(&value, bytes_.data() + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  std::uint8_t byte() { return fixed<std::uint8_t>(); }

  word unsigned_leb() {
    word value = 0;
    unsigned shift = 0;
    for (std::uint8_t each = 0x80; (each & 0x80U) != 0 && ok(); shift += 7) {
      each = byte();
      if (shift < 64) value |= word{each & 0x7fU} << shift;
    }
    return value;
  }
  signed_word signed_leb() {
    word value = 0;
    unsigned shift = 0;
    std::uint8_t each = 0x80;
    for (; (each & 0x80U) != 0 && ok(); shift += 7) {
      each = byte();
      if (shift < 64) value |= word{each & 0x7fU} << shift;
    }
    if (shift < 64 && (each & 0x40U) != 0) value |= ~word{0} << shift;
    return static_cast<signed_word>(value);
  }
  // A pointer as `encoding` says; relative to its own place or absolute.
  word pointer(std::uint8_t encoding) {
    const word base = (encoding & 0x70U) == DW_EH_PE_pcrel ? address() : 0;
    if ((encoding & 0x70U) != DW_EH_PE_pcrel && (encoding & 0x70U) != DW_EH_PE_absptr)
      failed_ = true;
    switch (encoding & 0x0fU) {
      case DW_EH_PE_absptr:
      case DW_EH_PE_udata8:
      case DW_EH_PE_sdata8:
        return base + fixed<word>();
      case DW_EH_PE_udata4:
        return base + fixed<std::uint32_t>();
      case DW_EH_PE_sdata4:
        return base + static_cast<word>(signed_word{fixed<std::int32_t>()});
      case DW_EH_PE_udata2:
        return base + fixed<std::uint16_t>();
      case DW_EH_PE_sdata2:
        return base + static_cast<word>(signed_word{fixed<std::int16_t>()});
      default:
        failed_ = true;
        return 0;
    }
  }
  std::span<const std::byte> take(word size) {
    if (size > bytes_.size() - at_) {
      failed_ = true;
      return {};
    }
    const auto taken = bytes_.subspan(at_, size);
    at_ += size;
    return taken;
  }
  void fail() { failed_ = true; }

 private:
  std::span<const std::byte> bytes_;
  word address_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace gmr::unwind
