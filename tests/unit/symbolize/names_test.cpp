#include "symbolize/names.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace {

using gmr::symbolize::complete_name;
using gmr::symbolize::demangle;
using gmr::symbolize::is_internal;
using gmr::symbolize::shorten;

struct name_case {
  std::string full;
  std::string expected;
};

class Shorten : public testing::TestWithParam<name_case> {};

TEST_P(Shorten, ReadsWell) {
  EXPECT_EQ(shorten(GetParam().full), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Demangled, Shorten,
    testing::Values(
        name_case{"main", "main"},
        name_case{"orders::session::run(int, char*)", "orders::session::run"},
        name_case{"orders::(anonymous namespace)::run() const &", "orders::run"},
        name_case{"foo() [clone .cold]", "foo"}, name_case{"foo() [clone .actor]", "foo"},
        name_case{"void std::vector<int, std::allocator<int> >::push_back<int>(int&&)",
                  "std::vector<int>::push_back<int>"},
        name_case{"std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> "
                  ">::append[abi:cxx11](char const*)",
                  "std::string::append"},
        name_case{"boost::asio::basic_stream_socket<boost::asio::ip::tcp, "
                  "boost::asio::any_io_executor>::connect(int)",
                  "boost::asio::basic_stream_socket<boost::asio::ip::tcp>::connect"},
        name_case{"f<std::vector<std::pair<long, long>, my::special_allocator<std::pair<long, "
                  "long> > > >()",
                  "f<std::vector<...>>"},
        name_case{"main::{lambda(int)#1}::operator()(int) const", "main::{lambda#1}"},
        name_case{"foo(std::function<void (int)>)::{lambda()#2}::operator()() "
                  "const::{lambda(int)#1}::operator()(int) const",
                  "foo::{lambda#2}::{lambda#1}"},
        name_case{"main::$_0::operator()(int) const", "main::{lambda#1}"},
        name_case{"less::operator()(int) const", "less::operator()"},
        name_case{"A::operator bool() const", "A::operator bool"},
        name_case{"operator new(unsigned long)", "operator new"},
        name_case{"bool ns::operator==<int>(ns::a<int> const&)", "ns::operator==<int>"},
        name_case{"std::enable_if<((3)>(2)), int>::type f<int>(int)", "f<int>"}));

INSTANTIATE_TEST_SUITE_P(
    SourceLocation, Shorten,
    testing::Values(name_case{"main()::<lambda(auto:1)> [with auto:1 = double]", "main::{lambda}"},
                    name_case{"task ns::s::member(T) [T = int]", "ns::s::member"},
                    name_case{"task (anonymous namespace)::anon()", "anon"},
                    name_case{
                        "auto main()::(anonymous class)::operator()(auto) const [v:auto = double]",
                        "main::{lambda}"}));

TEST(CompleteName, FindsTheFunctionOfACoroutine) {
  EXPECT_EQ(complete_name("void ns::s::other(ns::s::other(int, char*) "
                          "const::_ZNK2ns1s5otherEiPc.Frame*)"),
            "ns::s::other(int, char*) const");
  EXPECT_EQ(complete_name("int main()"), "int main()");
}

TEST(Demangle, StripsThePartsOfCoroutines) {
  EXPECT_EQ(demangle("_ZN2ns1s5otherEPZNKS0_5otherEiPcE25_ZNK2ns1s5otherEiPc.Frame.actor"),
            "ns::s::other(int, char*) const");
  EXPECT_EQ(demangle("_ZN2tmIdE1fEv.resume"), "tm<double>::f()");
  EXPECT_EQ(demangle("main"), "main");
  EXPECT_EQ(demangle("_Z"), "_Z");
}

TEST(Shorten, SurvivesWhatIsNoName) {
  const std::vector<std::string> fragments{
      "<",        ">",  "(", ")",       "{lambda(", "[abi:", "$_", " ",
      "operator", "::", ",", "<lambda", " [",       "a",     "]"};
  std::uint32_t random = 12345;
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (int i = 0; i < 12; ++i) {
      random = random * 1664525U + 1013904223U;
      text += fragments[(random >> 16) % fragments.size()];
    }
    EXPECT_FALSE(shorten(text).empty());
  }
  EXPECT_FALSE(shorten(std::string(100000, '<')).empty());
}

TEST(CompleteName, LeavesOutTheNamespaceOfAsiosVersion) {
  EXPECT_EQ(demangle("_ZN5boost4asio11v103802_kmn6detail9scheduler3runERNS_6system10error_codeE"),
            "boost::asio::detail::scheduler::run(boost::system::error_code&)");
  EXPECT_EQ(complete_name(
                "void f(boost::asio::v103802::io_context&, boost::asio::v103802::any_io_executor)"),
            "void f(boost::asio::io_context&, boost::asio::any_io_executor)");
  EXPECT_EQ(complete_name("boost::asio::vault::v2::open()"), "boost::asio::vault::v2::open()");
  EXPECT_EQ(complete_name("boost::asio::v1"), "boost::asio::v1");
}

TEST(Origin, TellsTheProgramFromItsLibraries) {
  EXPECT_TRUE(is_internal("std::invoke", "/usr/include/c++/12/bits/invoke.h", "/opt/server"));
  EXPECT_TRUE(is_internal("boost::asio::detail::scheduler::run", "", "/opt/server"));
  EXPECT_TRUE(is_internal("epoll_wait", "", "/lib/x86_64-linux-gnu/libc.so.6"));
  EXPECT_TRUE(is_internal("gmr::reporter::request", "", "/opt/server"));
  EXPECT_TRUE(
      is_internal("write_report", GMR_SOURCE_DIR "/lib/src/reporter/reporter.cpp", "/opt/server"));
  EXPECT_TRUE(is_internal("jump_fcontext", "", "/opt/server")) << "gmr's own switch of fibers";
  EXPECT_FALSE(
      is_internal("write_report", "/home/me/lib/src/reporter/reporter.cpp", "/opt/server"));
  EXPECT_FALSE(is_internal("orders::session::run", "/src/boost/session.cpp", "/opt/server"));
  EXPECT_FALSE(is_internal("standard", "main.cpp", "/opt/libcache.so"));
}

}  // namespace
