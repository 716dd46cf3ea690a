// nlohmann reads and packs, RapidJSON writes: it can put a text that is JSON already into another.
// In a document such a text is a value of the kind "binary", which no client can send.
#include "verbs/json.hpp"

#include <limits>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "verbs/errors.hpp"
#include "verbs/rules.hpp"

namespace queue_server {

namespace {

constexpr std::uint64_t largest_integer = std::numeric_limits<std::int64_t>::max();
constexpr const char* malformed = "Request body could not be parsed.";

using writer = rapidjson::Writer<rapidjson::StringBuffer>;

rapidjson::SizeType size_of(std::string_view text) {
  return static_cast<rapidjson::SizeType>(text.size());
}

void write_number(writer& out, double number) {
  // As nlohmann has it: 1.0, and not 1. What is not finite is null.
  const std::string text = json(number).dump();
  out.RawValue(text.data(), text.size(), rapidjson::kNumberType);
}

std::string_view text_of(const json& raw) {
  const auto& bytes = raw.get_binary();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// NOLINTNEXTLINE(misc-no-recursion): what was read is nested limits::json_depth deep at most
void write(writer& out, const json& value) {
  switch (value.type()) {
    case json::value_t::object:
      out.StartObject();
      for (const auto& [name, member] : value.items()) {
        out.Key(name.data(), size_of(name));
        write(out, member);
      }
      out.EndObject();
      return;
    case json::value_t::array:
      out.StartArray();
      for (const json& element : value)
        write(out, element);
      out.EndArray();
      return;
    case json::value_t::string: {
      const auto& text = value.get_ref<const std::string&>();
      out.String(text.data(), size_of(text));
      return;
    }
    case json::value_t::boolean:
      out.Bool(value.get<bool>());
      return;
    case json::value_t::number_integer:
      out.Int64(value.get<std::int64_t>());
      return;
    case json::value_t::number_unsigned:
      out.Uint64(value.get<std::uint64_t>());
      return;
    case json::value_t::number_float:
      return write_number(out, value.get<double>());
    case json::value_t::binary: {
      const std::string_view text = text_of(value);
      out.RawValue(text.data(), text.size(), rapidjson::kObjectType);
      return;
    }
    case json::value_t::null:
    case json::value_t::discarded:
      out.Null();
  }
}

// Members one after the other as they came, those of the same name too: nothing is looked up, which
// would take the square of their number with nlohmann::ordered_map.
template <class Key, class T, class Less = std::less<Key>,
          class Allocator = std::allocator<std::pair<const Key, T>>>
struct member_list : nlohmann::ordered_map<Key, T, Less, Allocator> {
  using base = nlohmann::ordered_map<Key, T, Less, Allocator>;
  using base::base;
  template <class Name, class Value>
  std::pair<typename base::iterator, bool> emplace(Name&& name, Value&& value) {
    this->emplace_back(std::forward<Name>(name), std::forward<Value>(value));
    return {std::prev(this->end()), true};
  }
  template <class Name>
  T& operator[](Name&& name) {
    return emplace(std::forward<Name>(name), T{}).first->second;
  }
};
using sequence = nlohmann::basic_json<member_list>;

// Builds a document from what the parser meets, and refuses what is out of bounds before anything
// recurses over it.
class builder final : public nlohmann::json_sax<json> {
 public:
  // Texts of JSON are checked by its parser; those of MessagePack are not.
  explicit builder(bool checks_texts) : checks_texts_(checks_texts) {}
  bool null() override {
    return value(nullptr, [](writer& out) { return out.Null(); });
  }
  bool boolean(bool given) override {
    return value(given, [given](writer& out) { return out.Bool(given); });
  }
  bool number_integer(number_integer_t number) override {
    return value(number, [number](writer& out) { return out.Int64(number); });
  }
  bool number_unsigned(number_unsigned_t number) override {
    if (number > largest_integer) return refuse("JSON contains integer that is too large.");
    return value(number, [number](writer& out) { return out.Uint64(number); });
  }
  bool number_float(number_float_t number, const string_t& written) override {
    // An integer that is too large for the parser arrives here as well.
    const bool integer = !written.empty() && written.find_first_of(".eE") == string_t::npos;
    if (integer) return refuse("JSON contains integer that is too large.");
    return value(number, [number, &written](writer& out) {
      if (written.empty()) write_number(out, number);
      return written.empty() ||
             out.RawValue(written.data(), written.size(), rapidjson::kNumberType);
    });
  }
  bool string(string_t& text) override {
    if (checks_texts_ && !is_utf8(text)) return refuse(malformed);
    return value(text, [&text](writer& out) { return out.String(text.data(), size_of(text)); });
  }
  bool binary(binary_t&) override { return refuse("Binary values can't be stored as JSON."); }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool key(string_t& name) override {
    if (checks_texts_ && !is_utf8(name)) return refuse(malformed);
    if (raw_depth_ > 0) return out_.Key(name.data(), size_of(name));
    stack_.back().key = name;
    return true;
  }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

  [[nodiscard]] const std::string& complaint() const noexcept { return complaint_; }
  [[nodiscard]] json document() { return std::move(root_); }

 private:
  struct level {
    json made;
    std::string key;  // of the member that comes next
  };

  static bool is_utf8(const std::string& text) {
    try {
      static_cast<void>(json(text).dump());
      return true;
    } catch (const json::exception&) {
      return false;
    }
  }
  bool refuse(const char* why) {
    complaint_ = why;
    return false;
  }

  // The value that comes next is the body of a message.
  [[nodiscard]] bool at_body() const {
    const std::size_t depth = stack_.size();
    return depth >= 3 && stack_[depth - 1].made.is_object() && stack_[depth - 1].key == "body" &&
           stack_[depth - 2].made.is_array() && stack_[depth - 3].key == "messages";
  }

  template <class Write>
  bool value(json simple, Write write_it) {
    if (raw_depth_ > 0) return write_it(out_);
    if (!at_body()) return put(std::move(simple));
    begin_raw();
    write_it(out_);
    return end_raw();
  }

  bool open(json empty) {
    if (stack_.size() + raw_depth_ >= limits::json_depth) {
      return refuse("The document is nested too deeply.");
    }
    if (raw_depth_ > 0 || at_body()) {
      if (raw_depth_ == 0) begin_raw();
      raw_kinds_.push_back(empty.is_object());
      ++raw_depth_;
      return empty.is_object() ? out_.StartObject() : out_.StartArray();
    }
    stack_.push_back({std::move(empty), {}});
    return true;
  }

  bool close() {
    if (raw_depth_ > 0) {
      const bool object = raw_kinds_.back();
      raw_kinds_.pop_back();
      --raw_depth_;
      const bool closed = object ? out_.EndObject() : out_.EndArray();
      return raw_depth_ > 0 ? closed : end_raw();
    }
    json made = std::move(stack_.back().made);
    stack_.pop_back();
    return put(std::move(made));
  }

  bool put(json made) {
    if (stack_.empty()) {
      root_ = std::move(made);
    } else if (level& parent = stack_.back(); parent.made.is_object()) {
      parent.made[parent.key] = std::move(made);
    } else {
      parent.made.push_back(std::move(made));
    }
    return true;
  }

  void begin_raw() {
    buffer_.Clear();
    out_.Reset(buffer_);
  }
  bool end_raw() { return put(raw_value({buffer_.GetString(), buffer_.GetSize()})); }

  const bool checks_texts_;
  std::vector<level> stack_;
  json root_;
  rapidjson::StringBuffer buffer_;
  writer out_{buffer_};
  std::size_t raw_depth_ = 0;
  std::vector<bool> raw_kinds_;  // of what is open: an object or an array
  std::string complaint_ = malformed;
};

json parse(std::string_view bytes, json::input_format_t format) {
  builder building(format != json::input_format_t::json);
  if (!json::sax_parse(bytes.begin(), bytes.end(), &building, format)) {
    throw invalid_body(building.complaint());
  }
  return building.document();
}

// With raw values read, so that they can be packed; the order of members is kept.
// NOLINTNEXTLINE(misc-no-recursion): as above
sequence unfolded(const json& value) {
  if (value.is_binary()) return sequence::parse(text_of(value));
  if (value.is_object()) {
    auto object = sequence::object();
    for (const auto& [name, member] : value.items())
      object[name] = unfolded(member);
    return object;
  }
  if (value.is_array()) {
    auto array = sequence::array();
    for (const json& element : value)
      array.push_back(unfolded(element));
    return array;
  }
  return sequence(value);
}

}  // namespace

json parse_json(std::string_view text) {
  return parse(text, json::input_format_t::json);
}

json parse_message_pack(std::string_view bytes) {
  return parse(bytes, json::input_format_t::msgpack);
}

json stored_json(const std::string& text) {
  return json::parse(text);
}

json raw_value(std::string_view text) {
  return json::binary({text.begin(), text.end()});
}

bool is_raw(const json& value) noexcept {
  return value.is_binary();
}

std::string to_text(const json& document) {
  rapidjson::StringBuffer buffer;
  writer out(buffer);
  write(out, document);
  return {buffer.GetString(), buffer.GetSize()};
}

std::string to_message_pack(const json& document) {
  const std::vector<std::uint8_t> packed = sequence::to_msgpack(unfolded(document));
  return {packed.begin(), packed.end()};
}

}  // namespace queue_server
