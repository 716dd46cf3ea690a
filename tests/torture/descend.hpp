// Stacks of fibers: functions that call each other at random.
#pragma once

#include "traveller.hpp"

namespace torture {

// How a fiber waits.
class waiting {
 public:
  virtual void wait(traveller& me) = 0;

 protected:
  ~waiting() = default;
};

// Descends to some depth, waits there, and returns.
void travel(traveller& me, waiting& how);

}  // namespace torture
