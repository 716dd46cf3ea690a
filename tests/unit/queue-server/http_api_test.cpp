#include <gtest/gtest.h>
#include <api/http.hpp>
#include <api/json.hpp>

#include "served.hpp"

namespace queue_server {
namespace {

class http_api_test : public testing::Test {
 protected:
  http_api::request request(const std::string& method, const std::string& target,
                            const std::string& body = {}) {
    return {method,       target, "3381af92-2b9e-11e3-b191-71861300734c", "project", std::nullopt,
            std::nullopt, body};
  }
  reply ask(const http_api::request& asked) { return server_.run(http_api::prepare(asked)); }
  reply ask(const std::string& method, const std::string& target, const std::string& body = {}) {
    return ask(request(method, target, body));
  }

  served server_;
};

TEST_F(http_api_test, what_can_be_answered_at_once_needs_no_storage) {
  for (const auto& [method, target] :
       {std::pair{"GET", "/"}, std::pair{"GET", "/v2"}, std::pair{"GET", "/v2/ping"},
        std::pair{"GET", "/nothing"}, std::pair{"PUT", "/v2/queues/a%20b"}}) {
    EXPECT_EQ(http_api::prepare(request(method, target)).needs, access::none) << target;
  }
}

TEST_F(http_api_test, only_what_changes_something_is_a_write) {
  EXPECT_EQ(http_api::prepare(request("GET", "/v2/queues")).needs, access::read);
  EXPECT_EQ(http_api::prepare(request("GET", "/v2/queues/q/messages")).needs, access::read);
  EXPECT_EQ(http_api::prepare(request("PUT", "/v2/queues/q")).needs, access::write);
  EXPECT_EQ(http_api::prepare(request("DELETE", "/v2/queues/q/messages?pop=1")).needs,
            access::write);
}

TEST_F(http_api_test, links_keep_the_query_and_move_the_marker) {
  for (const char* name : {"a", "b", "c"})
    ask("PUT", std::string("/v2/queues/") + name);
  const json page = json::parse(ask("GET", "/v2/queues?limit=2&detailed=true").body);
  EXPECT_EQ(page["links"][0]["href"], "/v2/queues?detailed=true&limit=2&marker=b");
}

TEST_F(http_api_test, targets_are_decoded_once_and_a_slash_at_the_end_is_nothing) {
  EXPECT_EQ(ask("PUT", "/v2/queues/%6Frders/").status, 201);
  EXPECT_EQ(ask("PUT", "/v2/queues/orders").status, 204);
  EXPECT_EQ(ask("PUT", "/v2/queues/%256Frders").status, 400);
  EXPECT_EQ(ask("GET", "/v2//queues").status, 404);
}

TEST_F(http_api_test, a_target_may_be_a_whole_url_as_proxies_are_sent) {
  EXPECT_EQ(ask("PUT", "http://127.0.0.1:8888/v2/queues/orders").status, 201);
  const json page = json::parse(ask("GET", "http://queue.example/v2/queues?limit=1").body);
  EXPECT_EQ(page["queues"][0]["name"], "orders");
  EXPECT_EQ(page["links"][0]["href"], "/v2/queues?limit=1&marker=orders");
  EXPECT_EQ(ask("GET", "http://127.0.0.1:8888").status, 300);
}

TEST_F(http_api_test, targets_that_are_no_paths_are_refused) {
  for (const char* target : {"", "*", "mailto:v2/queues", "http://h/v2/queues#a", "v2", "/v2/%",
                             "/v2/queues?a=%", "//"}) {
    const int status = ask("GET", target).status;
    EXPECT_TRUE(status == 400 || status == 404) << target << ": " << status;
  }
}

TEST_F(http_api_test, accept_must_allow_json) {
  auto asked = request("GET", "/v2/queues");
  for (const char* fine : {"application/json", "*/*", "text/html, application/json;q=0.5", ""}) {
    asked.accept = fine;
    EXPECT_EQ(ask(asked).status, 200) << fine;
  }
  asked.accept = "text/html";
  EXPECT_EQ(ask(asked).status, 406);
}

TEST_F(http_api_test, errors_are_json_whatever_they_quote) {
  for (const char* target : {"/v2/%ff", "/v2/\"quoted\"", "/v2/queues/q/messages/%ff%00"}) {
    const reply answer = ask("GET", target);
    EXPECT_GE(answer.status, 400);
    const json body = json::parse(answer.body);
    EXPECT_TRUE(body.contains("title") && body.contains("description")) << answer.body;
  }
}

TEST_F(http_api_test, a_storage_that_fails_is_503_and_says_nothing_of_itself) {
  const operation work = http_api::prepare(request("GET", "/v2/queues"));
  const reply answer = work.refuse(sqlite::error(13, "database or disk is full"));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body.find("disk"), std::string::npos);
}

TEST_F(http_api_test, a_large_post_leaves_its_location_out) {
  std::string body = R"({"messages":[{"body":0})";
  for (int i = 0; i < 20; ++i)
    body += R"(,{"body":1})";
  const reply answer = ask("POST", "/v2/queues/q/messages", body + "]}");
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(json::parse(answer.body)["resources"].size(), 21U);
  EXPECT_TRUE(answer.headers.empty());
}

}  // namespace
}  // namespace queue_server
