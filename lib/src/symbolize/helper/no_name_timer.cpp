// Where names are not tried that could take long.
#include "symbolize/helper/name_timer.hpp"

namespace gmr::symbolize {

void prepare_name_timer() {}

}  // namespace gmr::symbolize
