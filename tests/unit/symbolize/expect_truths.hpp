// Compares a resolved stack with what the program itself knows about its calls.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "gmr/model/stack.hpp"
#include "truths.hpp"

namespace gmr::test {

inline std::string describe(const stack& frames) {
  std::string text;
  for (const frame* f : frames.frames) {
    text += f->function + (f->inlined ? " inlined" : "") + " at " + f->file + ":" +
            std::to_string(f->line) + "\n";
  }
  return text + frames.note;
}

// `exact`: inlined calls are expanded, so that every line is that of the call.
inline void expect_truths(const stack& resolved, const std::vector<truth>& truths, bool exact) {
  const auto first =
      std::find_if(resolved.frames.begin(), resolved.frames.end(), [](const frame* f) {
        return f->file.ends_with("truths.cpp") && f->function.find("innermost") != f->function.npos;
      });
  const auto count = static_cast<std::size_t>(resolved.frames.end() - first);
  ASSERT_GE(count, truths.size()) << describe(resolved);
  for (std::size_t i = 0; i < truths.size(); ++i) {
    const frame& seen = *first[static_cast<std::ptrdiff_t>(i)];
    const truth& expected = truths[truths.size() - 1 - i];
    // How lambdas are numbered is the compiler's affair.
    if (exact && !expected.function.ends_with("{lambda")) {
      EXPECT_EQ(seen.function, expected.function) << describe(resolved);
    }
    EXPECT_TRUE(seen.function.starts_with(expected.function)) << describe(resolved);
    if (exact || expected.function.find("member") == std::string::npos) {
      EXPECT_EQ(seen.line, expected.line) << describe(resolved);
    }
    EXPECT_EQ(seen.inlined, expected.inlined) << describe(resolved);
    EXPECT_TRUE(seen.file.ends_with("truths.cpp"));
    EXPECT_TRUE(seen.address.has_value());
    EXPECT_TRUE(seen.offset.has_value());
    EXPECT_FALSE(seen.function_full.empty());
  }
}

}  // namespace gmr::test
