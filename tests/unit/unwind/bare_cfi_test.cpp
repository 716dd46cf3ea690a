// Rules that are found without allocating, against libdw's.
#include "unwind/bare_cfi.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "os/bare_modules.hpp"
#include "os/modules.hpp"
#include "parked_thread.hpp"
#include "unwind/bare_walk.hpp"
#include "unwind/cfi.hpp"
#include "unwind/unwinder.hpp"

namespace gmr::unwind {
namespace {

TEST(BareModules, AreThoseThatTheOthersKnow) {
  os::bare_modules bare;
  bare.read();
  std::map<std::uintptr_t, std::string> seen;
  for (const os::bare_module& each : bare.all())
    seen.emplace(each.base,
                 std::string{each.build_id_text()} + " " + std::string{each.path_text()});
  std::map<std::uintptr_t, std::string> known;
  const os::shared_modules modules = os::read_modules();
  for (const auto& each : modules->loaded())
    known.emplace(each->base, each->build_id + " " + each->path);
  EXPECT_EQ(seen, known);
}

// Of all rows that libdw finds simple, and how often there was another: of the rest only that they
// are not taken for simple.
TEST(BareCfi, HasTheRulesThatLibdwHas) {
  os::bare_modules bare;
  bare.read();
  std::map<row_kind, int> kinds;
  const os::shared_modules modules = os::read_modules();
  for (const auto& each : modules->loaded()) {
    const cfi table{*each};
    const os::bare_module* const module = bare.find(each->start);
    ASSERT_NE(module, nullptr) << each->path;
    if (module->frame_table == 0) continue;
    std::vector<complex_row> complex;
    const os::bare_module::range code = module->code[0];
    const std::uintptr_t step = std::max<std::uintptr_t>((code.end - code.begin) / 4000, 1);
    for (std::uintptr_t at = code.begin; at < code.end; at += step) {
      const row wanted = table.compile(at - each->base, complex);
      const row found = find_bare_row(module->frame_table, at);
      ++kinds[wanted.kind];
      ASSERT_EQ(found.signal, wanted.signal) << each->path << " " << std::hex << at - each->base;
      if (wanted.kind == row_kind::complex) {
        ASSERT_EQ(found.kind, row_kind::unsupported);
        continue;
      }
      ASSERT_EQ(found.kind, wanted.kind) << each->path << " " << std::hex << at - each->base;
      if (wanted.kind != row_kind::simple) continue;
      ASSERT_EQ(found.cfa_register, wanted.cfa_register) << each->path << " " << at - each->base;
      ASSERT_EQ(found.cfa_offset, wanted.cfa_offset) << each->path << " " << at - each->base;
      ASSERT_EQ(found.return_offset, wanted.return_offset) << each->path << " " << at - each->base;
      ASSERT_EQ(found.saved, wanted.saved) << each->path << " " << at - each->base;
    }
  }
  EXPECT_GT(kinds[row_kind::simple], 10'000);
}

[[gnu::noinline]] int bare_recursion(test::parked_thread& self, int depth) {
  if (depth == 0)
    self.park();
  else
    bare_recursion(self, depth - 1);
  asm volatile("" ::: "memory");
  return depth;
}

TEST(BareWalk, GoesWhereTheUnwinderGoes) {
  const test::parked_thread thread([](test::parked_thread& self) { bare_recursion(self, 20); });
  const auto taken = thread.take();
  raw_stack wanted;
  unwinder{os::read_modules()}.unwind(taken.snapshot, wanted);
  os::bare_modules bare;
  bare.read();
  walk_state from;
  from.registers = taken.snapshot.registers;
  from.known = all_registers;
  const auto found = std::make_unique<bare_stack>();
  walk_bare(bare, from, false, {}, *found);
  EXPECT_EQ(found->end, bare_end::outermost);
  EXPECT_EQ(std::vector<raw_frame>(found->all().begin(), found->all().end()), wanted.frames);
}

TEST(BareWalk, EndsWhateverTheRegistersSay) {
  os::bare_modules bare;
  bare.read();
  bare_stack found;
  for (const std::uintptr_t sp : {std::uintptr_t{0}, std::uintptr_t{8}, ~std::uintptr_t{7},
                                  reinterpret_cast<std::uintptr_t>(&found)}) {
    for (const std::uintptr_t pc : {std::uintptr_t{0}, ~std::uintptr_t{0},
                                    reinterpret_cast<std::uintptr_t>(&find_bare_row)}) {
      walk_state from;
      from.set(capture::sp_register, sp);
      from.set(capture::pc_register, pc);
      walk_bare(bare, from, false, {}, found);
      EXPECT_LE(found.count, bare_stack::most_frames);
    }
  }
}

}  // namespace
}  // namespace gmr::unwind
