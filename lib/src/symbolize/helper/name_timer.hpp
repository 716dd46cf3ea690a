// The time that one name may take to be written out.
#pragma once

namespace gmr::symbolize {

// Sets the handler of SIGALRM, once.
void prepare_name_timer();

}  // namespace gmr::symbolize
