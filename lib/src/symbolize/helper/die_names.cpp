// A DIE does not know its parents, so scopes are found from the unit downwards: only for the few
// functions that need it, and once for each address.
#include "symbolize/helper/die_names.hpp"

#include <dwarf.h>

#include <string_view>

#include "symbolize/names.hpp"

namespace gmr::symbolize {
namespace {

constexpr int most_steps = 64;

const char* linkage_name(Dwarf_Die die) {
  Dwarf_Attribute attribute;
  for (const unsigned name : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name}) {
    if (::dwarf_attr_integrate(&die, name, &attribute) == nullptr) continue;
    if (const char* const text = ::dwarf_formstring(&attribute)) return text;
  }
  return nullptr;
}

// Where the function was first declared: there it lies within its scopes.
Dwarf_Die declaration_of(Dwarf_Die die) {
  for (int steps = 0; steps < most_steps; ++steps) {
    Dwarf_Attribute attribute;
    Dwarf_Die origin;
    if ((::dwarf_attr(&die, DW_AT_abstract_origin, &attribute) == nullptr &&
         ::dwarf_attr(&die, DW_AT_specification, &attribute) == nullptr) ||
        ::dwarf_formref_die(&attribute, &origin) == nullptr)
      break;
    die = origin;
  }
  return die;
}

bool is_mangled(std::string_view name) {
  return name.starts_with("_Z") || name.starts_with("_R");  // of C++, of Rust
}

std::string qualified_name(Dwarf_Die function, int depth);

// A function that is defined away from its declaration stands outside its scopes.
void append_function(Dwarf_Die scope, int depth, std::string& path) {
  Dwarf_Die declaration = declaration_of(scope);
  const char* const name = ::dwarf_diename(&scope);
  if (::dwarf_dieoffset(&declaration) == ::dwarf_dieoffset(&scope)) {
    path += name != nullptr ? name : "";
  } else {
    path = qualified_name(scope, depth + 1);
  }
}

void append_scope(Dwarf_Die scope, int depth, std::string& path) {
  const char* const name = ::dwarf_diename(&scope);
  switch (::dwarf_tag(&scope)) {
    case DW_TAG_namespace:
      path += name != nullptr ? name : "(anonymous namespace)";
      break;
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
      path += name != nullptr ? name : "(anonymous class)";
      break;
    case DW_TAG_subprogram:
      append_function(scope, depth, path);
      break;
    default:
      return;  // a block
  }
  path += "::";
}

// The child that is or contains the DIE at `offset`: the last that does not lie behind it.
bool descend(Dwarf_Die& die, Dwarf_Off offset) {
  Dwarf_Die child;
  if (::dwarf_child(&die, &child) != 0 || ::dwarf_dieoffset(&child) > offset) return false;
  Dwarf_Die next = child;
  while (::dwarf_siblingof(&child, &next) == 0 && ::dwarf_dieoffset(&next) <= offset)
    child = next;
  die = child;
  return true;
}

std::string qualified_name(Dwarf_Die function, int depth) {
  Dwarf_Die declaration = declaration_of(function);
  const Dwarf_Off offset = ::dwarf_dieoffset(&declaration);
  std::string path;
  Dwarf_Die scope;
  if (::dwarf_diecu(&declaration, &scope, nullptr, nullptr) == nullptr) return path;
  for (; depth < most_steps && descend(scope, offset); ++depth) {
    if (::dwarf_dieoffset(&scope) == offset) break;
    append_scope(scope, depth, path);
  }
  const char* const name = ::dwarf_diename(&declaration);
  return name != nullptr ? path + name : std::string();
}

}  // namespace

std::string function_name(Dwarf_Die function, const char* symbol) {
  const char* mangled = linkage_name(function);
  if (mangled == nullptr && symbol != nullptr && is_mangled(symbol)) mangled = symbol;
  if (mangled != nullptr) {
    std::string name;
    // The C++ runtime cannot read them all: not those of some generic lambdas. What is too long for
    // it is too long in the debug information, too.
    if (demangle(mangled, name) != demangle_result::not_mangled || !is_mangled(name)) return name;
  }
  std::string name = qualified_name(function, 0);
  if (!name.empty()) return name;
  if (mangled != nullptr) return mangled;
  return symbol != nullptr ? symbol : std::string();
}

}  // namespace gmr::symbolize
