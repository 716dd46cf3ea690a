// Function names: from symbols to what people read.
#pragma once

#include <string>
#include <string_view>

namespace gmr::symbolize {

// The demangled form of a symbol; also of one with a suffix that a compiler added (.resume, .cold).
// What is not a mangled name, or is too long to be worth it, comes back as it is.
[[nodiscard]] std::string demangle(const std::string& symbol);

// What std::source_location::function_name() says, made complete: g++ gives for a coroutine a text
// that holds the mangled name of the function.
[[nodiscard]] std::string complete_name(std::string_view function_name);

// Without return type, parameters, default and long template arguments, ABI tags and clone marks.
[[nodiscard]] std::string shorten(std::string_view full);

// Whether a frame is part of Boost, the standard library or the C library rather than the program.
[[nodiscard]] bool is_internal(std::string_view short_name, std::string_view file,
                               std::string_view module);

}  // namespace gmr::symbolize
