// Function names: from symbols to what people read.
#pragma once

#include <string>
#include <string_view>

namespace gmr::symbolize {

enum class demangle_result {
  readable,
  not_mangled,
  too_long,  // written out, or to write it out
};

// The demangled form of a symbol; also of one with a suffix that a compiler added (.resume, .cold).
// What is not a mangled name, or takes too much, comes back as it is. At most 32 KiB are written.
[[nodiscard]] demangle_result demangle(const std::string& symbol, std::string& name);
[[nodiscard]] std::string demangle(const std::string& symbol);

// g++ names the frame of a coroutine after its function: "f(f()::_Z1fv.Frame*)". The function's
// symbol; empty in any other text.
[[nodiscard]] std::string symbol_of_frame(std::string_view text);

// What std::source_location::function_name() says, made complete: g++ gives for a coroutine a text
// that holds the mangled name of the function. Asio's functions and types come without the
// namespace of its version.
[[nodiscard]] std::string complete_name(std::string_view function_name);

// Without return type, parameters, default and long template arguments, ABI tags and clone marks.
[[nodiscard]] std::string shorten(std::string_view full);

// Whether a frame is part of Boost, the standard library, the C library or gmr rather than the
// program.
[[nodiscard]] bool is_internal(std::string_view short_name, std::string_view file,
                               std::string_view module);

}  // namespace gmr::symbolize
