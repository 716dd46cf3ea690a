#include "traveller.hpp"

#include <gmr/trace/label.hpp>

namespace torture {

place places[128];

namespace {
std::atomic<unsigned> seeds{1};
}

traveller::traveller() : random_(seeds.fetch_add(7919) % 2147483647U) {
  random_.discard(3);
}

silence::~silence() {
  gmr::set_name({});
}

void step::tell(char letter, std::uint32_t line) const {
  goes_on(letter, line);
  gmr::set_name(std::string_view{me_.way_, me_.length_});
}

}  // namespace torture
