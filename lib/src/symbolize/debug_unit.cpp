// dwarf_getscopes reads a whole unit for every address (up to 15 ms); here a unit's functions are
// listed once, and a function's inlined calls once.
#include "symbolize/debug_unit.hpp"

#include <algorithm>

#include "symbolize/die_names.hpp"
#include "symbolize/die_tree.hpp"

namespace gmr::symbolize {
namespace {

std::uint64_t number(Dwarf_Die die, unsigned name) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (::dwarf_attr(&die, name, &attribute) == nullptr || ::dwarf_formudata(&attribute, &value) != 0)
    return 0;
  return value;
}

}  // namespace

bool debug_unit::open(Dwarf* file) {
  if (open_) return true;
  open_unit opened;
  Dwarf_Half version = 0;
  std::uint8_t type = 0;
  Dwarf_Die split;
  if (::dwarf_offdie(file, offset_, &opened.skeleton) == nullptr ||
      ::dwarf_cu_info(opened.skeleton.cu, &version, &type, nullptr, &split, nullptr, nullptr,
                      nullptr) != 0)
    return false;
  const bool is_split = type == DW_UT_skeleton && ::dwarf_tag(&split) == DW_TAG_compile_unit;
  opened.full = is_split ? split : opened.skeleton;
  open_ = std::make_unique<open_unit>(std::move(opened));
  return true;
}

void debug_unit::read(file_names& names) {
  if (read_) return;
  read_ = true;
  lines_.read(open_->skeleton, names);
  functions_.read(open_->full);
  if (open_->full.cu != open_->skeleton.cu) call_files_ = read_files(open_->full, names);
}

void debug_unit::read_calls(function& in, Dwarf_Die parent, int depth) {
  for_each_child(parent, [&](Dwarf_Die child) {
    const int tag = ::dwarf_tag(&child);
    const bool call = tag == DW_TAG_inlined_subroutine;
    if (!call && !is_block(tag)) return;
    if (call) {
      const std::size_t index = in.calls.size();
      in.calls.push_back({child, depth});
      for_each_range(child, [&](std::uintptr_t begin, std::uintptr_t end) {
        in.ranges.push_back({begin, end, index});
      });
    }
    if (depth < deepest_die) read_calls(in, child, depth + 1);
  });
}

debug_unit::function* debug_unit::find_function(std::uintptr_t address) {
  auto offset = functions_.find(address);
  if (!offset && !nested_read_) {
    nested_read_ = true;
    functions_.read_nested(open_->full);
    offset = functions_.find(address);
  }
  if (!offset) return nullptr;
  auto& known = open_->functions[*offset];
  if (known) return known.get();
  auto found = std::make_unique<function>();
  if (::dwarf_offdie(::dwarf_cu_getdwarf(open_->full.cu), *offset, &found->die) == nullptr)
    return nullptr;
  read_calls(*found, found->die, 0);
  known = std::move(found);
  return known.get();
}

void debug_unit::take_line(std::uintptr_t address, place& at) const {
  const source_line found = lines_.find(address);
  if (found.file != nullptr) at.file = *found.file;
  at.line = found.line;
}

void debug_unit::take_caller(Dwarf_Die call, place& at) const {
  const unit_files& files = call_files_.empty() ? lines_.files() : call_files_;
  const std::uint64_t index = number(call, DW_AT_call_file);
  if (index >= files.size() || files[index] == nullptr) return;
  at.file = *files[index];
  at.line = static_cast<std::uint32_t>(number(call, DW_AT_call_line));
}

void debug_unit::locate(Dwarf* file, file_names& names, std::uintptr_t address, const char* symbol,
                        std::vector<place>& places) {
  place here;
  const bool opened = open(file);
  if (opened) read(names);
  take_line(address, here);
  const function* const found = opened ? find_function(address) : nullptr;
  if (found == nullptr) {
    here.function = symbol != nullptr ? symbol : "";
    places.push_back(std::move(here));
    return;
  }
  std::vector<const inlined_call*> chain;
  for (const call_range& range : found->ranges) {
    if (address >= range.begin && address < range.end) chain.push_back(&found->calls[range.call]);
  }
  std::sort(chain.begin(), chain.end(),
            [](const auto* a, const auto* b) { return a->depth > b->depth; });
  for (const inlined_call* call : chain) {
    here.function = function_name(call->die, nullptr);
    here.inlined = true;
    places.push_back(std::move(here));
    here = {};
    take_caller(call->die, here);
  }
  here.function = function_name(found->die, symbol);
  places.push_back(std::move(here));
}

}  // namespace gmr::symbolize
