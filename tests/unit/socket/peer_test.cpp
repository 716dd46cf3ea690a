#include "socket/peer.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace gmr::sockets {
namespace {

constexpr uid_t overflow = 65534;

identity user(uid_t id) {
  return {.real = id,
          .effective = id,
          .saved = id,
          .is_dumpable = true,
          .overflow = overflow,
          .maps_all_users = true};
}

TEST(Peer, TheSameUserAndRootMayAsk) {
  EXPECT_TRUE(may_ask(1000, user(1000)));
  EXPECT_TRUE(may_ask(0, user(1000)));
  EXPECT_FALSE(may_ask(1001, user(1000)));
  EXPECT_FALSE(may_ask(1000, user(0)));
}

TEST(Peer, OnlyRootMayAskWhoHasRightsThatItsUserHasNot) {
  identity not_dumpable = user(1000);
  not_dumpable.is_dumpable = false;
  identity gave_up_root = user(1000);
  gave_up_root.saved = 0;
  identity set_user_id = user(1000);
  set_user_id.real = 1001;
  for (const identity& each : {not_dumpable, gave_up_root, set_user_id}) {
    EXPECT_FALSE(may_ask(1000, each));
    EXPECT_TRUE(may_ask(0, each));
    EXPECT_EQ(who_may_ask(each), "only root may ask");
  }
}

TEST(Peer, AUserThatIsNotMappedIsNobody) {
  identity contained = user(overflow);
  contained.maps_all_users = false;
  EXPECT_FALSE(may_ask(overflow, contained));
  EXPECT_TRUE(may_ask(overflow, user(overflow))) << "where all are mapped it is a user like others";
}

TEST(Peer, IsKnownByItsConnection) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const auto found = peer_of(ends[0]);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->process, ::getpid());
  EXPECT_EQ(found->user, ::geteuid());
  EXPECT_TRUE(may_ask(found->user, own_identity()));
  EXPECT_EQ(name_of(*found).find("pid " + std::to_string(::getpid()) + ", "), 0U);
  ::close(ends[0]);
  ::close(ends[1]);
  EXPECT_FALSE(peer_of(ends[0]));
}

}  // namespace
}  // namespace gmr::sockets
