// Shortens demangled names and the texts of std::source_location alike. Reads a name once from left
// to right; what looks unlike a name is kept as it is.
#include <algorithm>
#include <array>
#include <cstddef>

#include "symbolize/beginnings.hpp"
#include "symbolize/names.hpp"

namespace gmr::symbolize {
namespace {

constexpr std::size_t longest_arguments = 40;
constexpr int deepest = 64;

bool is_identifier(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$';
}

// The length of an operator's name at the start of `text`, which follows "operator".
std::size_t operator_length(std::string_view text) {
  constexpr std::array<std::string_view, 40> names{
      "<=>", "->*", "<<=", ">>=", "()", "[]", "->", "<<", ">>", "<=", ">=", "==",       "!=", "&&",
      "||",  "++",  "--",  "+=",  "-=", "*=", "/=", "%=", "^=", "&=", "|=", "<",        ">",  "=",
      "!",   "+",   "-",   "*",   "/",  "%",  "^",  "&",  "|",  "~",  ",",  " co_await"};
  for (const std::string_view name : names) {
    if (text.starts_with(name)) return name.size();
  }
  return 0;
}

bool is_operator(std::string_view text, std::size_t at) {
  constexpr std::string_view word = "operator";
  return text.substr(at).starts_with(word) && (at == 0 || !is_identifier(text[at - 1])) &&
         (at + word.size() == text.size() || !is_identifier(text[at + word.size()]));
}

char closing(char c) {
  switch (c) {
    case '<':
      return '>';
    case '(':
      return ')';
    case '{':
      return '}';
    case '[':
      return ']';
    default:
      return '\0';
  }
}

// Closes the innermost bracket that `c` fits. Within parentheses < and > may be comparisons.
void close(std::string& open, char c) {
  if (c == '>' && (open.empty() || open.back() != '>')) return;
  const std::size_t at = open.rfind(c);
  if (at != std::string::npos) open.resize(at);
}

// The position after the bracket that closes the one at `at`.
std::size_t after_bracket(std::string_view text, std::size_t at) {
  std::string open;
  for (std::size_t i = at; i < text.size(); ++i) {
    if (is_operator(text, i)) {
      i += 8;
      i += operator_length(text.substr(i));
      if (i >= text.size()) break;
    }
    const char c = text[i];
    if (c == '-' && i + 1 < text.size() && text[i + 1] == '>') {
      ++i;
    } else if (const char end = closing(c); end != '\0') {
      open += end;
    } else if (c == '>' || c == ')' || c == '}' || c == ']') {
      close(open, c);
      if (open.empty()) return i + 1;
    }
  }
  return text.size();
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  return text;
}

bool is_default(std::string_view argument) {
  constexpr std::array<std::string_view, 8> defaults{"std::allocator<",
                                                     "std::char_traits<",
                                                     "std::less<",
                                                     "std::equal_to<",
                                                     "std::hash<",
                                                     "std::default_delete<",
                                                     "boost::asio::any_io_executor",
                                                     "boost::asio::execution::any_executor<"};
  return starts_with_any(argument, defaults);
}

// In a type everything stays in place; in a function name the return type, parameters and
// qualifiers go.
enum class reading { function, type };

class shortener final {
 public:
  shortener(std::string_view text, reading as, int depth) : text_(text), as_(as), depth_(depth) {}

  std::string run() {
    while (at_ < text_.size())
      next();
    return std::move(out_);
  }

 private:
  void next() {
    const std::string_view rest = text_.substr(at_);
    if (is_operator(text_, at_)) return take_operator();
    if (skip("(anonymous namespace)::") || skip("{anonymous}::") || skip("__cxx11::")) return;
    if (rest.starts_with("(anonymous class)")) return take_lambda(17);
    if (rest.starts_with("[abi:")) {
      at_ = after_bracket(text_, at_);
      return;
    }
    if (rest.starts_with("$_")) return take_clang_lambda();
    switch (rest.front()) {
      case '<':
        return rest.starts_with("<lambda") ? take_lambda(after_bracket(rest, 0)) : take_arguments();
      case '(':
        return take_parentheses();
      case '{':
        return take_braces();
      case ' ':
        // What came before was the return type.
        if (as_ == reading::function) out_.clear();
        [[fallthrough]];
      default:
        if (as_ == reading::type || rest.front() != ' ') out_ += rest.front();
        ++at_;
    }
  }

  bool skip(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  void take_operator() {
    out_ += "operator";
    at_ += 8;
    std::size_t length = operator_length(text_.substr(at_));
    // A conversion, or new and delete: up to the parameters.
    if (length == 0) {
      const std::size_t end = std::min(text_.find('(', at_), text_.size());
      out_ += inner(text_.substr(at_, end - at_), reading::type);
      at_ = end;
      return;
    }
    out_ += text_.substr(at_, length);
    at_ += length;
    // The space of "operator< <int>" does not end a return type.
    if (at_ + 1 < text_.size() && text_[at_] == ' ' && text_[at_ + 1] == '<') ++at_;
  }

  // "::operator()" of a lambda says nothing.
  void skip_call_operator() { skip("::operator()"); }

  void take_lambda(std::size_t length) {
    out_ += "{lambda}";
    at_ += length;
    skip_call_operator();
  }

  void take_clang_lambda() {
    at_ += 2;
    std::size_t number = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9')
      number = number * 10 + static_cast<std::size_t>(text_[at_++] - '0');
    out_ += "{lambda#" + std::to_string(number + 1) + "}";
    skip_call_operator();
  }

  void take_braces() {
    const std::size_t end = after_bracket(text_, at_);
    const std::string_view whole = text_.substr(at_, end - at_);
    at_ = end;
    if (!whole.starts_with("{lambda(")) {
      out_ += whole;
      return;
    }
    const std::size_t number = whole.rfind('#');
    out_ += "{lambda";
    out_ += number == std::string_view::npos ? "}" : whole.substr(number);
    skip_call_operator();
  }

  void take_parentheses() {
    const std::size_t end = after_bracket(text_, at_);
    if (as_ == reading::type) {
      const std::string_view content = text_.substr(at_ + 1, end - at_ - 2);
      out_ += "(" + inner(content, reading::type) + ")";
      at_ = end;
      return;
    }
    at_ = end;
    constexpr std::array<std::string_view, 5> qualifiers{" const", " volatile", " noexcept", " &&",
                                                         " &"};
    bool again = true;
    while (again) {
      again = std::any_of(qualifiers.begin(), qualifiers.end(),
                          [&](std::string_view word) { return skip(word); });
    }
  }

  void take_arguments() {
    const std::size_t end = after_bracket(text_, at_);
    std::string_view rest = text_.substr(at_ + 1, end - at_ - 1);
    if (rest.ends_with('>')) rest.remove_suffix(1);
    at_ = end;
    std::string arguments;
    for (bool first = true; !rest.empty(); first = false) {
      const std::size_t size = argument_size(rest);
      const std::string_view argument = trim(rest.substr(0, size));
      rest.remove_prefix(std::min(size + 1, rest.size()));
      if (!first && is_default(argument)) continue;
      if (!first) arguments += ", ";
      arguments += inner(argument, reading::type);
    }
    if (out_.ends_with("std::basic_string") && arguments == "char") {
      out_.replace(out_.size() - 12, 12, "string");
      return;
    }
    out_ += arguments.size() > longest_arguments ? "<...>" : "<" + arguments + ">";
  }

  static std::size_t argument_size(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size() && text[at] != ',') {
      const char c = text[at];
      const bool opens = c == '<' || c == '(' || c == '{' || c == '[';
      at = opens ? after_bracket(text, at) : at + 1;
    }
    return at;
  }

  std::string inner(std::string_view text, reading as) const {
    if (depth_ == deepest) return "...";
    return shortener{text, as, depth_ + 1}.run();
  }

  std::string_view text_;
  reading as_;
  int depth_;
  std::size_t at_ = 0;
  std::string out_;
};

// Marks that follow the name: "[clone .cold]", "[with T = int]", "(.resume)".
std::string_view without_marks(std::string_view text) {
  for (const std::string_view mark : {" [clone ", " [with ", " (."}) {
    text = text.substr(0, text.find(mark));
  }
  // clang's "[T = int]".
  if (text.ends_with(']')) {
    const std::size_t begin = text.rfind(" [");
    if (begin != std::string_view::npos && text.find(" = ", begin) != std::string_view::npos)
      text = text.substr(0, begin);
  }
  return text;
}

}  // namespace

std::string shorten(std::string_view full) {
  std::string name = shortener{without_marks(full), reading::function, 0}.run();
  return name.empty() ? std::string(full) : name;
}

}  // namespace gmr::symbolize
