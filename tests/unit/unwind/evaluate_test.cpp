#include "unwind/evaluate.hpp"

#include <dwarf.h>
#include <gtest/gtest.h>

#include <cstdint>

namespace {

using gmr::unwind::evaluate;
using gmr::unwind::expression;
using gmr::unwind::stack_memory;
using gmr::unwind::walk_state;

const gmr::capture::stack_snapshot no_stack;
const stack_memory nowhere{no_stack};

#if defined(__x86_64__)
// What linkers write for .plt: the second half of a stub has pushed a word more.
TEST(Evaluate, KnowsWhereAProcedureLinkageStubStands) {
  const expression plt{{DW_OP_breg7, 8, 0, 0}, {DW_OP_breg16, 0, 0, 2}, {DW_OP_lit15, 0, 0, 4},
                       {DW_OP_and, 0, 0, 5},   {DW_OP_lit11, 0, 0, 6},  {DW_OP_ge, 0, 0, 7},
                       {DW_OP_lit3, 0, 0, 8},  {DW_OP_shl, 0, 0, 9},    {DW_OP_plus, 0, 0, 10}};
  walk_state state;
  state.set(7, 0x1000);
  state.set(16, 0x400006);
  EXPECT_EQ(evaluate(plt, state, {}, nowhere), 0x1008U);
  state.set(16, 0x40000b);
  EXPECT_EQ(evaluate(plt, state, {}, nowhere), 0x1010U);
  state.forget(16);
  EXPECT_EQ(evaluate(plt, state, {}, nowhere), std::nullopt);
}
#endif

TEST(Evaluate, AnEndlessLoopEnds) {
  const expression loop{{DW_OP_lit1, 0, 0, 0}, {DW_OP_skip, static_cast<std::uint64_t>(-4), 0, 1}};
  EXPECT_EQ(evaluate(loop, {}, {}, nowhere), std::nullopt);
  const expression still{{DW_OP_skip, static_cast<std::uint64_t>(-3), 0, 0}};
  EXPECT_EQ(evaluate(still, {}, {}, nowhere), std::nullopt);
}

TEST(Evaluate, RefusesWhatItCannotKnow) {
  EXPECT_EQ(evaluate({}, {}, {}, nowhere), std::nullopt);
  EXPECT_EQ(evaluate({{DW_OP_plus, 0, 0, 0}}, {}, {}, nowhere), std::nullopt);
  EXPECT_EQ(evaluate({{DW_OP_call_frame_cfa, 0, 0, 0}}, {}, {}, nowhere), std::nullopt);
  EXPECT_EQ(evaluate({{DW_OP_call_frame_cfa, 0, 0, 0}}, {}, 16, nowhere), 16U);
  EXPECT_EQ(evaluate({{DW_OP_lit8, 0, 0, 0}, {DW_OP_deref, 0, 0, 1}}, {}, {}, nowhere),
            std::nullopt);
  EXPECT_EQ(evaluate({{DW_OP_form_tls_address, 0, 0, 0}}, {}, {}, nowhere), std::nullopt);
}

}  // namespace
