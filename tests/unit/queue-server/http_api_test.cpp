#include <gtest/gtest.h>
#include <http/api.hpp>
#include <verbs/json.hpp>

#include "served.hpp"

namespace queue_server {
namespace {

class http_api_test : public testing::Test {
 protected:
  static http::request request(const std::string& method, const std::string& target,
                               const std::string& body = {}) {
    return {method,       target,       "3381af92-2b9e-11e3-b191-71861300734c",
            "project",    std::nullopt, std::nullopt,
            std::nullopt, body};
  }
  operation prepare(const http::request& asked) { return http::prepare(asked, server_.allowed()); }
  reply ask(const http::request& asked) { return server_.run(prepare(asked)); }
  reply ask(const std::string& method, const std::string& target, const std::string& body = {}) {
    return ask(request(method, target, body));
  }

  served server_;
};

TEST_F(http_api_test, what_can_be_answered_at_once_needs_no_storage) {
  for (const auto& [method, target] :
       {std::pair{"GET", "/"}, std::pair{"GET", "/v2"}, std::pair{"GET", "/nothing"},
        std::pair{"PUT", "/v2/queues/a%20b"}}) {
    EXPECT_EQ(prepare(request(method, target)).needs(), access::none) << target;
  }
}

TEST_F(http_api_test, only_what_changes_something_is_a_write) {
  EXPECT_EQ(prepare(request("GET", "/v2/queues")).needs(), access::read);
  EXPECT_EQ(prepare(request("GET", "/v2/queues/q/messages")).needs(), access::read);
  EXPECT_EQ(prepare(request("PUT", "/v2/queues/q")).needs(), access::write);
  EXPECT_EQ(prepare(request("DELETE", "/v2/queues/q/messages?pop=1")).needs(), access::write);
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
  const operation work = prepare(request("GET", "/v2/queues"));
  const reply answer =
      work.answer(std::make_exception_ptr(sqlite::error(13, "database or disk is full")));
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

TEST_F(http_api_test, whether_the_server_lives_needs_no_storage_thread) {
  for (const char* target : {"/v2/ping", "/healthz", "/v2/health"}) {
    const operation work = prepare(request("GET", target));
    EXPECT_EQ(work.needs(), access::health) << target;
    EXPECT_LT(work.answer(nullptr).status, 300) << target;
    const reply failed = work.answer(std::make_exception_ptr(storage_error("disk full")));
    EXPECT_EQ(failed.status, 503) << target;
    EXPECT_EQ(failed.headers.front().first, "Retry-After");
  }
}

TEST_F(http_api_test, who_asks_for_signs_of_life_need_not_say_who_it_is) {
  for (const char* target : {"/v2/ping", "/healthz"}) {
    auto asked = request("GET", target);
    asked.client_id = asked.project_id = std::nullopt;
    EXPECT_EQ(ask(asked).status, 204) << target;
  }
}

TEST_F(http_api_test, bodies_come_back_as_they_were_sent) {
  const std::string body = R"({"z":1.10,"a":[1e2,-0.0,{"b":1,"b":2}],"é":"\u00e9"})";
  ask("POST", "/v2/queues/q/messages", R"({"messages": [{"body": )" + body + "}]}");
  const std::string shown = ask("GET", "/v2/queues/q/messages?echo=true").body;
  EXPECT_NE(shown.find(R"("body":{"z":1.10,"a":[1e2,-0.0,{"b":1,"b":2}],"é":"é"})"),
            std::string::npos)
      << shown;
  const std::string popped = ask("DELETE", "/v2/queues/q/messages?pop=1").body;
  EXPECT_NE(popped.find("1.10"), std::string::npos) << popped;
}

TEST_F(http_api_test, nothing_in_a_body_or_query_takes_the_place_of_the_path) {
  ask("POST", "/v2/queues/q/messages?queue_name=other&message_id=5",
      R"({"queue_name": "other", "messages": [{"body": 1}]})");
  EXPECT_EQ(server_.data().stats({"project", "q"}).total, 1);
  EXPECT_EQ(server_.data().stats({"project", "other"}).total, 0);
}

TEST_F(http_api_test, a_marker_of_another_server_leads_to_an_empty_page) {
  ask("POST", "/v2/queues/q/messages", R"({"messages": [{"body": 1}]})");
  for (const char* marker : {"x", "-5", "99999999999999999999", ""}) {
    const reply page = ask("GET", std::string("/v2/queues/q/messages?echo=true&marker=") + marker);
    EXPECT_EQ(page.status, 200) << marker;
    EXPECT_EQ(json::parse(page.body)["messages"].size(), 0U) << marker;
  }
}

}  // namespace
}  // namespace queue_server
