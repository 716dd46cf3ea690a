#include "unwind/unwinder.hpp"
