// Reports against what the green threads in them say of themselves.
#pragma once

#include <cstdint>
#include <gmr/model/report.hpp>
#include <map>
#include <string>

namespace torture {

struct tally {
  std::uint64_t reports = 0;
  std::map<std::string, std::uint64_t> compared;  // stacks of suspended ones, by kind
  std::uint64_t frames = 0;                       // in them
  std::uint64_t running = 0;
  std::uint64_t unnamed = 0;  // they have not waited yet
  std::uint64_t wrong = 0;
  std::string first_fault;
};

void check(const gmr::report& complete, tally& counts);

}  // namespace torture
