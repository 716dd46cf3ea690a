// dwarf_getscopes reads a whole unit for every address (up to 15 ms); here a unit's functions are
// listed once, and a function's inlined calls once.
#include "symbolize/helper/debug_unit.hpp"

#include <algorithm>

#include "symbolize/helper/die_names.hpp"
#include "symbolize/helper/die_tree.hpp"
#include "symbolize/helper/unit_files.hpp"
#include "symbolize/names.hpp"

namespace gmr::symbolize {
namespace {

std::uint64_t number(Dwarf_Die die, unsigned name) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (::dwarf_attr(&die, name, &attribute) == nullptr || ::dwarf_formudata(&attribute, &value) != 0)
    return 0;
  return value;
}

const char* name_of_part(Dwarf_Die skeleton) {
  Dwarf_Attribute attribute;
  for (const unsigned name : {DW_AT_dwo_name, DW_AT_GNU_dwo_name})
    if (::dwarf_attr(&skeleton, name, &attribute) != nullptr) return ::dwarf_formstring(&attribute);
  return nullptr;
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
  if (type == DW_UT_skeleton && !is_split) missing_part_ = name_of_part(opened.skeleton);
  open_ = std::make_unique<open_unit>(std::move(opened));
  return true;
}

void debug_unit::read() {
  if (read_) return;
  read_ = true;
  folder_ = folder_of(open_->skeleton);
  if (::dwarf_hasattr(&open_->skeleton, DW_AT_stmt_list) != 0 &&
      lines_.open(sections_, number(open_->skeleton, DW_AT_stmt_list),
                  folder_ != nullptr ? folder_ : ""))
    found_lines_ = lines_.find(addresses_);
  if (depth_ == unit_depth::lines) return;
  functions_.read(open_->full);
  if (open_->full.cu != open_->skeleton.cu) call_files_ = read_files(open_->full);
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

void debug_unit::take_line(std::size_t index, place& at) const {
  if (index >= found_lines_.size() || found_lines_[index].line == 0) return;
  at.file = full_path(lines_.file(found_lines_[index].file), folder_);
  at.line = found_lines_[index].line;
}

void debug_unit::take_caller(Dwarf_Die call, place& at) const {
  const std::uint64_t index = number(call, DW_AT_call_file);
  if (call_files_.empty())
    at.file = full_path(lines_.file(index), folder_);
  else if (index < call_files_.size())
    at.file = call_files_[index];
  if (!at.file.empty()) at.line = static_cast<std::uint32_t>(number(call, DW_AT_call_line));
}

void debug_unit::locate(Dwarf* file, std::size_t index, const char* symbol,
                        std::vector<place>& places) {
  place here;
  const std::uintptr_t address = addresses_[index];
  const bool opened = this->open(file);
  if (opened) read();
  take_line(index, here);
  const function* const found =
      opened && depth_ == unit_depth::functions ? find_function(address) : nullptr;
  if (found == nullptr) {
    if (symbol != nullptr) here.function = demangle(symbol);
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
