// Split DWARF: units whose functions are in files of their own (.dwo) that are not there.
#pragma once

#include <cstddef>
#include <string>

namespace gmr::symbolize {

// Counts them for one sentence a module. Not synchronised.
class missing_parts final {
 public:
  // The name of such a file as its unit has it, and the folder that it is relative to. Null: none
  // is missing.
  void add(const char* name, const char* folder);

  // Why functions and inlined calls are not known, with the system's word; empty when no file was
  // missing. `module`: the path of the module, beside which a package of such files may lie.
  [[nodiscard]] std::string problem(const std::string& module) const;

 private:
  std::size_t count_ = 0;
  std::string first_;
  int error_ = 0;
};

}  // namespace gmr::symbolize
