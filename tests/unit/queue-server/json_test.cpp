#include <verbs/errors.hpp>
#include <verbs/json.hpp>
#include <verbs/rules.hpp>

#include <gtest/gtest.h>

namespace queue_server {
namespace {

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

TEST(parse_json, keeps_what_json_can_say) {
  for (const char* text : {"null", "[]", R"({"a":[1,-1,1.5,"ü",true,null]})", "9223372036854775807",
                           "-9223372036854775808"}) {
    EXPECT_EQ(to_text(parse_json(text)), text);
  }
}

TEST(parse_json, refuses_what_is_not_json) {
  for (const char* text : {"", "{", "nul", "[1,]", "{\"a\":}", "\"\xff\"", "1 2", "[1]]"}) {
    EXPECT_THROW(static_cast<void>(parse_json(text)), api_error) << text;
  }
}

TEST(parse_json, refuses_integers_beyond_64_bits) {
  for (const char* text : {"9223372036854775808", "18446744073709551616", "-9223372036854775809",
                           "100000000000000000000000000", "[{\"a\":9223372036854775808}]"}) {
    EXPECT_THROW(static_cast<void>(parse_json(text)), api_error) << text;
  }
  EXPECT_EQ(parse_json("1e300").get<double>(), 1e300);
}

TEST(parse_json, bounds_nesting) {
  EXPECT_NO_THROW(static_cast<void>(parse_json(nested(limits::json_depth))));
  EXPECT_THROW(static_cast<void>(parse_json(nested(limits::json_depth + 1))), api_error);
  EXPECT_THROW(static_cast<void>(parse_json(nested(1'000'000))), api_error);
}

TEST(parse_json, keeps_the_bodies_of_messages_as_they_are) {
  const std::string text =
      R"({"messages":[{"body":{"z":1.10,"a":[1e2,{"c":1,"b":null}]}},{"body":1.50},{"body":"x"}]})";
  EXPECT_EQ(to_text(parse_json(text)), text);
  EXPECT_TRUE(is_raw(parse_json(text)["messages"][0]["body"]));
  EXPECT_EQ(to_text(parse_json(" { \"messages\" : [ { \"body\" : [ 1 , 2 ] } ] } ")),
            R"({"messages":[{"body":[1,2]}]})");
  EXPECT_THROW(static_cast<void>(
                   parse_json("{\"messages\":[{\"body\":" + nested(limits::json_depth) + "}]}")),
               api_error);
}

TEST(parse_json, reads_a_body_of_many_members_in_time) {
  std::string text = R"({"messages":[{"body":{"x":0)";
  for (int i = 0; i < 40000; ++i)
    text += ",\"" + std::to_string(i) + "\":1";
  text += "}}]}";
  EXPECT_EQ(to_text(parse_json(text)), text);
  // With the square of their number it took half a minute.
  EXPECT_EQ(parse_message_pack(to_message_pack(parse_json(text))), parse_json(text));
}

TEST(parse_message_pack, keeps_the_order_of_a_body) {
  const json document = parse_json(R"({"messages":[{"body":{"z":1,"a":1.5}}]})");
  EXPECT_EQ(to_text(parse_message_pack(to_message_pack(document))),
            R"({"messages":[{"body":{"z":1,"a":1.5}}]})");
}

TEST(parse_message_pack, gives_back_what_was_packed) {
  const json document = {{"a", {1, -1, 1.5, "ü", true, nullptr}}, {"b", json::object()}};
  EXPECT_EQ(parse_message_pack(to_message_pack(document)), document);
}

TEST(parse_message_pack, refuses_what_json_can_not_hold) {
  const std::string_view binary("\xc4\x02\x00\xff", 4);
  const std::string_view extension("\xd4\x01\x00", 3);
  const std::string_view not_utf8("\xa1\xff", 2);
  const std::string_view not_utf8_key("\x81\xa1\xff\x01", 4);
  const std::string_view too_large("\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9);
  const std::string_view cut("\x93\x01", 2);
  const std::string_view promises_too_much("\xdd\xff\xff\xff\xff\x01", 6);
  for (const auto bytes : {binary, extension, not_utf8, not_utf8_key, too_large, cut,
                           promises_too_much, std::string_view()}) {
    EXPECT_THROW(static_cast<void>(parse_message_pack(bytes)), api_error);
  }
  EXPECT_THROW(static_cast<void>(parse_message_pack(std::string(1'000'000, '\x91'))), api_error);
}

}  // namespace
}  // namespace queue_server
